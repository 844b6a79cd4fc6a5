"""Sign-ins stand on record, refused ones without a name, and nothing that opens a door is written down anywhere."""

import logging
from typing import Any

import pytest

from database import Database, raw
from testkit.databases import TestDatabases
from testkit.scanning import Scanner, tables

from .front_end import PASSWORD, FrontEnd, answer_of, tokens_of
from .phones import Phones
from .provider import Provider
from .test_sign_in_by_code import page_for_code


async def recorded(database: Database) -> list[tuple[Any, ...]]:
    """Give what the audit has of sessions: action, decision, rule, actor."""
    async with database.read() as session:
        rows = await (await raw(session)).fetch(
            "select action, decision, rule, actor from audit.entry where action like 'identity.session.%' order by id"
        )
    return [tuple(row) for row in rows]


async def test_a_sign_in_stands_on_record_and_a_refused_one_has_no_name(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person()
    before = len(await recorded(provider.database))
    await front_end.sign_in(username)
    sent = await front_end.authorize(prompt="login")
    page = await front_end.http.get(sent.headers["location"])
    await front_end.submit(page, username=username, password="a wrong password")
    await front_end.submit(page, username="nobody.at.all", password="a wrong password")
    assert (await recorded(provider.database))[before:] == [
        ("identity.session.signed_in", "allowed", None, person_id),
        ("identity.session.signed_in", "refused", "password", None),
        ("identity.session.signed_in", "refused", "password", None),
    ]


async def test_a_person_sees_each_sign_in_and_no_other_doing_of_their_own(
    provider: Provider, front_end: FrontEnd
) -> None:
    person_id, username = await provider.open_person()
    tokens = await front_end.tokens(username)
    kept = {"keep_current": True}
    ended = await provider.http.post("/v1/me/sessions/revocation", json=kept, headers=tokens.headers)
    assert ended.status_code == 200
    tokens = await front_end.tokens(username)
    seen = await provider.http.get("/v1/me/access-log/identity", headers=tokens.headers)
    assert seen.status_code == 200
    own = [each["action"] for each in seen.json()["items"] if each["actor"] == str(person_id)]
    assert own == ["identity.session.signed_in"] * 2
    assert (await provider.http.get("/v1/audit/identity/entries", headers=tokens.headers)).status_code == 403


async def test_no_code_phone_password_or_token_is_written_down(
    provider: Provider,
    front_end: FrontEnd,
    phones: Phones,
    databases: TestDatabases,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    person_id, username = await provider.open_person()
    number = await phones.give(person_id)
    page = await page_for_code(front_end, number)
    one_time_code = await phones.code_to(number)
    answer = answer_of(await front_end.submit(page, code=one_time_code))
    tokens = tokens_of(await front_end.redeem(answer.parameters["code"]))
    _, plain = await provider.open_person()
    begun = await provider.http.post("/v1/me/totp", headers=(await provider.front_end().tokens(plain)).headers)
    assert begun.is_success, begun.text
    secrets = [number, one_time_code, PASSWORD, answer.parameters["code"], tokens.access, tokens.refresh]
    scanner = Scanner([*secrets, begun.json()["secret"]])
    url = databases.superuser_url_of(provider.database.dsn)
    leaks = {table: found async for table, text in tables(url) if (found := scanner.found_in(text))}
    assert leaks == {}
    ours = [record for record in caplog.records if record.name.split(".")[0] not in {"httpx", "httpcore", "hpack"}]
    assert scanner.found_in("\n".join(f"{record.getMessage()} {record.__dict__}" for record in ours).encode()) == set()
    planted = Scanner([username])
    assert [table async for table, text in tables(url) if planted.found_in(text)] == ["public.identifier"]
