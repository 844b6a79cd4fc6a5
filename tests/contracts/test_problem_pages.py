"""Behind every type that a problem may have stands a page, in both languages."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import httpx

from contracts import SERVICES
from database import Database, utc_now
from gateway.documents.copies import Copy, keep, recall
from gateway.documents.document import MergedDocument
from gateway.documents.pages import DocumentPages
from gateway.forwarding.routing import public_routes
from gateway.forwarding.upstream import Upstream
from testkit.databases import Template, TestDatabases
from webapi.openapi import ALL_PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\bProblem\(\s*[45]\d\d,\s*\"(\w+)\"")


def written() -> set[str]:
    """Give every code that the sources write."""
    sources = [*(ROOT / "libs").glob("*/src/**/*.py"), *(ROOT / "services").glob("*/src/**/*.py")]
    return {code for source in sources for code in CODE.findall(source.read_text("utf-8"))}


async def test_every_code_that_is_written_anywhere_has_its_page(
    generate: ModuleType, databases: TestDatabases, template_of: Callable[[str], Awaitable[Template]]
) -> None:
    """What services say of themselves comes back from the gateway's database as they say it."""
    documents = {service: generate.application_of(service).openapi() for service in SERVICES}
    own = documents.pop("gateway")
    upstreams = {service: Upstream(service, generate.NOWHERE) for service in documents}
    routes, codes, missing = public_routes(), written(), []
    assert len(codes) > 120

    async def nothing(*_: object) -> None:
        raise AssertionError

    async with databases.database(await template_of("gateway")) as url:
        database = Database(url, application_name="test")
        await keep(database, {service: Copy(document, utc_now()) for service, document in documents.items()})
        recalled = await recall(database)
        assert {service: copy.document for service, copy in recalled.items()} == json.loads(json.dumps(documents))
        merged = MergedDocument(upstreams, routes, lambda: own, public_url=generate.PUBLIC_URL, database=database)
        transport = httpx.ASGITransport(DocumentPages(nothing, merged))
        async with merged.running(), httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            for code in sorted(codes):
                path = f"/problems/{code}"
                shown = [await client.get(path, headers={"accept-language": language}) for language in ("zh", "en")]
                if [each.status_code for each in shown] != [200, 200] or shown[0].text == shown[1].text:
                    missing.append(code)
        await database.close()
    assert missing == []


def test_no_service_publishes_the_words_of_problems_in_the_document(generate: ModuleType) -> None:
    assert ALL_PROBLEMS not in generate.openapi()
