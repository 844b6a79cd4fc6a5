"""What people type comes in its one form in every operation, and no refusal leaves open what is wanted."""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts import SERVICES
from identity.accounts.phones import normalised_phone
from webapi import Application
from webapi.validation import invalid

ROOT = Path(__file__).resolve().parents[2]
NAMES = re.compile(r"(\w+_)?(name|title|place|agenda)(_\w+)?")
PHONES = re.compile(r"(\w+_)?phone")
PERSONS_NUMBERS = {"id_number", "phone"}
"""Beside one of these, a `name` is a person's."""
WRITTEN_AS: list[tuple[str, str | None]] = [
    ("张三\n", "张三"),
    ("\t张三\u00a0", "张三"),
    ("张\u3000三", "张 三"),
    ("张 \u2009 三", "张 三"),
    *((f"张{unseen}三", None) for unseen in "\u202e\u200b\u2066\ufeff\u00ad\u3164\x00\x1b\x7f"),
    ("\u202e", None),
    (" \n", None),
]
"""A name as it is typed or pasted, and the one form that it has, or None for what is refused."""
PERSONS_WRITTEN_AS = [
    *((f"阿卜杜热西提{dot}买买提", "阿卜杜热西提·买买提") for dot in "•・‧･·"),
    ("Ｚｈａｎｇ　San", "Zhang San"),
    ("葛\U000e0100", "葛"),
]
PHONES_WRITTEN_AS = [
    *(
        (typed, "13800138000")
        for typed in (
            "+86 138 0013 8000",
            "１３８００１３８０００",
            "138-0013-8000",
            "\u202a13800138000\u202c",
            "008613800138000",
        )
    ),
    ("23800138000", None),
    ("1380013800", None),
    ("+85213800138000", None),
]
NUMBERS_WRITTEN_AS = [
    (typed, "34052419800101001X")
    for typed in (
        "'34052419800101001X",
        "34052419800101001x\t",
        "３４０５２４１９８００１０１００１Ｘ",
        "340524 19800101 001X",
        "’34052419800101001X\u3000",
    )
]
NOT_WORDS = {
    "username": "its rules are those of a username, which hold no such character",
    "redirect_uris": "an address, which the rules of clients judge",
    "post_logout_redirect_uris": "an address, which the rules of clients judge",
    "actions": "a name of an action, which is registered or not",
    "basis": "a name of a basis, for which there is a text or not",
    "code": "a code, which is right or not",
    "id_number": "a number, which loses such characters and is judged by its form",
    **dict.fromkeys(("password", "old_password", "new_password"), "kept by its hash alone"),
}
"""Fields of bodies that take any text, and why nobody reads what they took."""


class TextField(NamedTuple):
    """A field in the body of an operation: where it stands, its name, the fields beside it, and what validates it."""

    place: str
    name: str
    beside: frozenset[str]
    adapter: TypeAdapter[Any]

    def takes(self, text: str) -> str | None:
        """Give what becomes of a text here, by itself or as the one of a list; None when it is refused."""
        for sent in (text, [text]):
            try:
                taken = self.adapter.validate_python(sent)
            except ValidationError:
                continue
            return str(taken if isinstance(sent, str) else next(iter(taken)))
        return None


@cache
def application_of(service: str) -> Application:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    application: Application = generate.application_of(service)
    return application


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for part in get_args(annotation):
        yield from models_in(part)


def text_fields() -> Iterator[TextField]:
    for service in SERVICES:
        routes = [route for route in application_of(service).routes if isinstance(route, APIRoute)]
        bodies = [body.field_info.annotation for route in routes for body in route.dependant.body_params]
        for model in dict.fromkeys(model for body in bodies for model in models_in(body)):
            for name, field in model.model_fields.items():
                whole: Any = Annotated[(field.annotation, *field.metadata, None)]
                yield TextField(
                    f"{service}.{model.__name__}.{name}", name, frozenset(model.model_fields), TypeAdapter(whole)
                )


FIELDS = list(text_fields())


def named(pattern: re.Pattern[str]) -> list[TextField]:
    return [field for field in FIELDS if pattern.fullmatch(field.name) and field.takes("13800138000") is not None]


def of_people() -> list[TextField]:
    return [field for field in named(NAMES) if field.name == "name" and field.beside & PERSONS_NUMBERS]


def kinds() -> Iterator[Any]:
    """Give each kind of text with all fields of it, and how it may be written."""
    yield pytest.param(named(NAMES), 10, WRITTEN_AS, id="names")
    yield pytest.param(of_people(), 2, PERSONS_WRITTEN_AS, id="names of people")
    yield pytest.param(named(PHONES), 5, PHONES_WRITTEN_AS, id="phones")
    yield pytest.param(named(re.compile("id_number")), 1, NUMBERS_WRITTEN_AS, id="identity numbers")


@pytest.mark.parametrize(("fields", "least", "written"), list(kinds()))
def test_every_field_of_a_kind_takes_every_writing_in_one_form(
    fields: list[TextField], least: int, written: list[tuple[str, str | None]]
) -> None:
    assert len(fields) >= least
    for field in fields:
        taken = {typed: field.takes(typed) for typed, _ in written}
        assert taken == dict(written), field.place


def test_identity_keeps_the_number_that_members_keeps_whatever_is_typed() -> None:
    kept = {typed: normalised_phone(typed) for typed, _ in PHONES_WRITTEN_AS}
    assert kept == {typed: None if number is None else f"+86{number}" for typed, number in PHONES_WRITTEN_AS}


def test_no_field_keeps_what_nobody_sees_but_those_with_a_reason() -> None:
    taking = {
        field.name for field in FIELDS if field.takes("张三张三张三张三") and field.takes("张三张三\u202e张三张三")
    }
    assert taking - NOT_WORDS.keys() == set()
    assert len([field for field in FIELDS if field.takes("张三张三张三张三")]) > 25


def patterns_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for value in node.values():
            yield from patterns_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from patterns_in(value)


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_says_in_both_languages_what_a_pattern_wants(service: str) -> None:
    wordless = set()
    for pattern in set(patterns_in(application_of(service).openapi())):
        error = {"type": "string_pattern_mismatch", "loc": ("body",), "ctx": {"pattern": pattern}}
        english, chinese = (invalid([error], language).members["errors"][0]["message"] for language in ("en", "zh"))  # type: ignore[index]
        if not re.fullmatch(r"[ -~]*\bmust\b[ -~]{10,}", english) or not re.search(r"[\u4e00-\u9fff]{4}", chinese):
            wordless.add(pattern)
    assert wordless == set(), "a pattern is given its words by `webapi.validation.worded`"
