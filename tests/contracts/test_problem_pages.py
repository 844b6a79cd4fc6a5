"""Behind every type that a problem may have stands a page, in both languages."""

import re
from pathlib import Path
from types import ModuleType

import httpx

from contracts import SERVICES
from database import Database
from gateway.documents.document import MergedDocument
from gateway.documents.pages import DocumentPages
from gateway.forwarding.routing import public_routes
from webapi.openapi import ALL_PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\bProblem\(\s*[45]\d\d,\s*\"(\w+)\"")


def written() -> set[str]:
    """Give every code that the sources write."""
    sources = [*(ROOT / "libs").glob("*/src/**/*.py"), *(ROOT / "services").glob("*/src/**/*.py")]
    return {code for source in sources for code in CODE.findall(source.read_text("utf-8"))}


async def test_every_code_that_is_written_anywhere_has_its_page(generate: ModuleType) -> None:
    documents = {service: generate.application_of(service).openapi() for service in SERVICES}
    told = {code: words for each in documents.values() for code, words in each[ALL_PROBLEMS].items()}
    own = {**documents["gateway"], ALL_PROBLEMS: told}
    database = Database("postgresql://nobody@127.0.0.1:1/none", application_name="test")
    merged = MergedDocument({}, public_routes(), lambda: own, public_url=generate.PUBLIC_URL, database=database)

    async def nothing(*_: object) -> None:
        raise AssertionError

    codes = written()
    assert len(codes) > 120
    transport, missing = httpx.ASGITransport(DocumentPages(nothing, merged)), []
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        for code in sorted(codes):
            shown = [
                await client.get(f"/problems/{code}", headers={"accept-language": language})
                for language in ("zh", "en")
            ]
            if [each.status_code for each in shown] != [200, 200] or shown[0].text == shown[1].text:
                missing.append(code)
    assert missing == []


def test_no_service_publishes_the_words_of_problems_in_the_document(generate: ModuleType) -> None:
    assert ALL_PROBLEMS not in generate.openapi()
