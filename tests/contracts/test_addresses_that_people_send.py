"""Check 30: whatever field an address on the web comes in, it is of a public place and does not look like another."""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Annotated, Any, get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

ADDRESS = "https://meeting.example.org/会议?room=1%202#part"
HOSTILE = (
    *("http://meeting.example.org/", "ftp://meeting.example.org/", "javascript:alert(1)", "//meeting.example.org/"),
    *(
        "https://localhost/",
        "https://localhost./",
        "https://gateway/",
        "https://nats.internal/",
        "https://printer.local/",
        "https://router.localdomain/",
        "https://kubernetes.default.svc/",
    ),
    *("https://127.0.0.1/", "https://10.0.0.1/", "https://172.16.0.1/", "https://192.168.1.1/", "https://100.64.0.1/"),
    *("https://169.254.169.254/latest/meta-data", "https://0.0.0.0/", "https://224.0.0.1/", "https://255.255.255.255/"),
    *("https://127.1/", "https://2130706433/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.0.0.1./"),
    *("https://[::1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/"),
    *("https://meeting.example.org:22/", "https://meeting.example.org:0/", "https://meeting.example.org:65536/"),
    *("https://meeting.example.org:80/", "https://user@meeting.example.org/", "https://meeting.example.org@10.0.0.1/"),
    *(f"https://meeting.example.org/{bidi}gpj.exe" for bidi in "\u202e\u2066\u200f\u200b\u00ad\ufeff"),
    *("https://meeting.example.org/%E2%80%AEgpj.exe", "https://meeting.example.org/%0d%0aX: 1", "https://"),
    # What browsers read as another name than is written: they end it at a backslash, open what is escaped, fold width.
    *("https://10.0.0.1\\.example.org/", "https://127.0.0.%31/", "https://169.254.169.25%34/", "https://nats.loca%6c/"),
    *("https://printer.local。/", "https://printer.ｌｏｃａｌ/", "https://127.0.0.１/", "https://gateway。local/"),
    *("https://printer.loca\ufe00l/", "https://10.0.0.1&.example.org/", "https://10.0.0.1 .example.org/"),
)
_NAMED_SO = re.compile(r"(^|_)(url|uri|link|href|website|address)s?$")


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Give the fields of a body and of what stands in it, each with its type."""
    for name, field in model.model_fields.items():
        kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        inner = [*_models(field.annotation)]
        if not inner:
            yield f"{model.__name__}.{name}", kind
        for each in inner:
            yield from _fields(each)


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models(inner)


def _addresses(generate: ModuleType) -> dict[str, Any]:
    """Give the types of all fields of all operations' bodies that hold addresses, by their name or their format."""
    routes = (route for service in generate.SERVICES for route in generate.application_of(service).routes)
    bodies = [
        field.field_info.annotation
        for each in routes
        if isinstance(each, APIRoute)
        for field in each.dependant.body_params
    ]
    found = {place: kind for body in bodies for model in _models(body) for place, kind in _fields(model)}
    return {place: kind for place, kind in found.items() if _NAMED_SO.search(place) or '"uri"' in _described(kind)}


def _described(kind: Any) -> str:
    return str(TypeAdapter(kind).json_schema()).replace("'", '"')


def _takes(kind: Any, address: str) -> bool:
    sent = [address] if "array" in _described(kind) else address
    try:
        TypeAdapter(kind).validate_python(sent)
    except ValidationError:
        return False
    return True


def test_no_field_takes_an_address_of_a_private_place_or_one_that_misleads(generate: ModuleType) -> None:
    fields = _addresses(generate)
    assert {
        "ScheduleActivity.join_url",
        "ClientTerms.redirect_uris",
        "ClientTerms.post_logout_redirect_uris",
    } <= fields.keys()
    assert [
        place for place, kind in fields.items() if '"uri"' not in _described(kind) or not _takes(kind, ADDRESS)
    ] == []
    assert [(place, address) for place, kind in fields.items() for address in HOSTILE if _takes(kind, address)] == []


@pytest.mark.parametrize(
    "address", ["https://8.8.8.8/", "https://example.cn:8443/a", "https://example.cn./%C4%E3", "https://xn--fiqs8s.cn/"]
)
def test_a_public_place_is_taken(generate: ModuleType, address: str) -> None:
    assert all(_takes(kind, address) for kind in _addresses(generate).values())
