"""Which numbers on a file take codes: none that somebody else put there before its person could hear of it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import time
from typing import Any
from uuid import UUID

import pytest

from database import Database, new_id, raw
from members.files.event_handlers import TEXTS
from members.files.rules.personal_fields import PersonalFields
from members.files.sealing import SealedFile, seal_fields

from .phones import NAME, PHONE, Post, asked, let_pass, on_file
from .provinces import Person, Province, member_row


async def revise(by: Person, person_id: UUID, base_version: int, **changes: Any) -> None:
    answer = await by.post(f"/members/{person_id}/revisions", {"base_version": base_version, **changes})
    assert answer.status_code == 200, answer.text


async def enrolled(province: Province, phone: str) -> UUID:
    return await province.enrol(await province.branch(), phone=phone)


async def imported(province: Province, phone: str) -> UUID:
    person_id, row = new_id(), member_row(await province.branch(), phone=phone)
    answer = await province.registrar.post("/member-imports", {"rows": [{**row, "person_id": str(person_id)}]})
    assert answer.status_code == 200, answer.text
    return person_id


async def replaced(province: Province, phone: str) -> UUID:
    person_id = await on_file(province)
    await revise(province.registrar, person_id, 1, phone=phone)
    return person_id


async def replaced_soon(province: Province, phone: str) -> UUID:
    person_id = await enrolled(province, PHONE)
    await revise(province.registrar, person_id, 1, phone=phone)
    return person_id


async def given(province: Province, phone: str) -> UUID:
    person_id = await on_file(province, phone=None)
    await revise(province.registrar, person_id, 1, phone=phone)
    return person_id


async def given_by_way_of_another(province: Province, phone: str) -> UUID:
    person_id = await given(province, "14200000007")
    await let_pass(province, timedelta(days=30))
    await revise(province.registrar, person_id, 2, phone=phone)
    return person_id


async def taken_out_and_given(province: Province, phone: str) -> UUID:
    person_id = await on_file(province)
    await revise(province.registrar, person_id, 1, phone=None)
    await revise(province.registrar, person_id, 2, phone=phone)
    return person_id


async def given_back(province: Province, phone: str) -> UUID:
    person_id = await on_file(province, phone=phone)
    await revise(province.registrar, person_id, 1, phone=PHONE)
    await revise(province.registrar, person_id, 2, phone=phone)
    return person_id


@pytest.mark.parametrize("put", [enrolled, imported, replaced, replaced_soon, given_back])
@pytest.mark.parametrize("text", [text for text in TEXTS if text.startswith("code_")])
async def test_a_number_that_somebody_else_put_on_file_takes_codes_after_a_week(
    province: Province, post: Post, text: str, put: Callable[[Province, str], Awaitable[UUID]]
) -> None:
    theirs = "14287654321"
    person_id = await put(province, theirs)
    await revise(province.registrar, person_id, await version_of(post.database, person_id), away=True)
    await let_pass(province, timedelta(days=7, minutes=-1))
    await revise(province.registrar, person_id, await version_of(post.database, person_id), smartphone=False)
    await post.hand_over(asked(person_id=person_id, text=text))
    assert await post.answers() == [(None, "no_phone")]
    await let_pass(province, timedelta(minutes=1))
    await post.hand_over(asked(person_id=person_id, text=text))
    assert (await post.answers())[1:] == [(str(person_id), "sent")]
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to(f"+86{theirs}")].count(f"{text}.zh") == 1


async def test_what_is_no_code_reaches_a_new_number_at_once(province: Province, post: Post) -> None:
    person_id = await enrolled(province, PHONE)
    await post.hand_over(asked(person_id=person_id, text="account_opened"))
    assert await post.answers() == [(str(person_id), "sent")]


@pytest.mark.parametrize("put", [given, given_by_way_of_another, taken_out_and_given])
async def test_a_number_that_somebody_else_put_where_none_was_takes_codes_once_its_person_was_there(
    province: Province, post: Post, put: Callable[[Province, str], Awaitable[UUID]]
) -> None:
    theirs = "14287654321"
    person_id = await put(province, theirs)
    await let_pass(province, timedelta(days=400))
    await revise(province.registrar, person_id, await version_of(post.database, person_id), away=True)
    await post.hand_over(asked(person_id=person_id), asked(person_id=person_id, text="account_opened"))
    assert await post.answers() == [(None, "no_phone"), (str(person_id), "sent")]
    me, own = province.person(person_id=person_id, acr="2"), "14200000009"
    await revise(me, person_id, await version_of(post.database, person_id), phone=own)
    await post.hand_over(asked(person_id=person_id))
    assert (await post.answers())[2:] == [(str(person_id), "sent")]
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to(f"+86{own}")] == ["code_own_account.zh"]


@pytest.mark.parametrize(("put", "takes_codes"), [(replaced, True), (given, False), (taken_out_and_given, False)])
async def test_what_was_written_before_this_was_kept_is_read_from_the_versions(
    province: Province, post: Post, put: Callable[[Province, str], Awaitable[UUID]], takes_codes: bool
) -> None:
    person_id = await put(province, "14287654321")
    async with post.database.transaction() as session:
        await (await raw(session)).execute("update member_version set phone_proves_from = null")
    await let_pass(province, timedelta(days=7, minutes=-1))
    await post.hand_over(asked(person_id=person_id))
    await let_pass(province, timedelta(minutes=1))
    await revise(province.registrar, person_id, await version_of(post.database, person_id), away=True)
    await post.hand_over(asked(person_id=person_id))
    sent = (str(person_id), "sent") if takes_codes else (None, "no_phone")
    assert await post.answers() == [(None, "no_phone"), sent]


async def test_however_often_a_file_is_changed_its_number_takes_codes(province: Province, post: Post) -> None:
    person_id = await on_file(province)
    for version in range(1, 121):
        await revise(province.registrar, person_id, version, away=version % 2 == 1)
    await post.hand_over(asked(person_id=person_id))
    assert await post.answers() == [(str(person_id), "sent")]


async def test_who_signed_in_long_ago_changes_no_phone_of_the_own_file(province: Province, post: Post) -> None:
    person_id = await on_file(province)
    me = province.person(person_id=person_id, authenticated_at=time() - 601)
    for changes, status in (({"phone": "14200000009"}, 401), ({"phone": None}, 401), ({"away": True}, 200)):
        answer = await me.post(f"/members/{person_id}/revisions", {"base_version": 1, **changes})
        assert answer.status_code == status, answer.text
    assert await version_of(post.database, person_id) == 2


async def test_the_number_that_a_person_puts_on_the_own_file_counts_at_once(province: Province, post: Post) -> None:
    person_id = await replaced(province, "14287654321")
    me = province.person(person_id=person_id, acr="2")
    await revise(me, person_id, 2, phone="14200000009")
    await revise(province.registrar, person_id, 3, away=True)
    await post.hand_over(asked(person_id=person_id))
    assert await post.answers() == [(str(person_id), "sent")]
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to("+8614200000009")] == ["code_own_account.zh"]


@pytest.mark.parametrize("phone", ["14287654321", None])
async def test_the_former_number_is_told_once_that_somebody_else_changed_it(
    province: Province, post: Post, phone: str | None
) -> None:
    person_id = await on_file(province)
    path, body = f"/members/{person_id}/revisions", {"base_version": 1, "phone": phone}
    for key in ("a", "a", "b"):
        answer = await province.registrar.post(path, body, headers={"Idempotency-Key": key})
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
    await revise(province.registrar, person_id, 2, away=True)
    await post.deliver()
    assert list(post.gateway.messages_to(f"+86{PHONE}")) == [("phone_replaced.zh", ())]
    assert len(post.gateway.delivered) == 1


@pytest.mark.parametrize("phone", ["14287654321", None])
async def test_whoever_came_by_one_factor_changes_the_phone_no_sooner_than_its_person_hears(
    province: Province, post: Post, phone: str | None
) -> None:
    """Else whoever had the phone for an hour would put in theirs, and come back by it."""
    person_id = await on_file(province)
    await revise(province.person(person_id=person_id, acr="1"), person_id, 1, phone=phone)
    await post.deliver()
    assert list(post.gateway.messages_to(f"+86{PHONE}")) == [("ways_in_changed.zh", ())]
    await let_pass(province, timedelta(days=7, minutes=-1))
    await post.hand_over(asked(person_id=person_id))
    await let_pass(province, timedelta(minutes=1))
    await post.hand_over(asked(person_id=person_id))
    then = (None, "no_phone") if phone is None else (str(person_id), "sent")
    assert await post.answers() == [(None, "no_phone"), then]


async def test_the_first_number_that_a_person_puts_in_by_one_factor_counts_after_a_week(
    province: Province, post: Post
) -> None:
    person_id = await on_file(province, phone=None)
    await revise(province.person(person_id=person_id, acr="1"), person_id, 1, phone=PHONE)
    await post.hand_over(asked(person_id=person_id))
    await let_pass(province, timedelta(days=7))
    await post.hand_over(asked(person_id=person_id))
    assert await post.answers() == [(None, "no_phone"), (str(person_id), "sent")]


async def test_the_same_number_in_the_writing_of_before_is_no_other(province: Province, post: Post) -> None:
    person_id = await on_file(province, phone=PHONE)
    async with post.database.transaction() as session:
        connection = await raw(session)
        key = await connection.fetchrow("select person_id, wrapped from member_key where person_id = $1", person_id)
        data_key = SealedFile(post.settings.ring, key).data_key
        before = PersonalFields(NAME, "", f"+86 {PHONE[:3]}-{PHONE[3:]}")
        *_, phone = seal_fields(data_key, before, person_id=person_id, version=1)
        await connection.execute("update member_version set phone = $2 where person_id = $1", person_id, phone)
    await revise(province.registrar, person_id, 1, phone=PHONE)
    await post.hand_over(asked(person_id=person_id))
    await post.deliver()
    assert [each for each, _ in post.gateway.messages_to(f"+86{PHONE}")] == ["code_own_account.zh"]


async def test_nobody_is_told_of_the_own_change_or_of_one_that_is_refused(province: Province, post: Post) -> None:
    person_id = await on_file(province, stage="activist")
    refused = {"base_version": 1, "phone": "14287654321", "stage": "full"}
    answer = await province.registrar.post(f"/members/{person_id}/revisions", refused)
    assert answer.status_code == 409
    await revise(province.person(person_id=person_id, acr="2"), person_id, 1, phone="14200000009")
    await post.deliver()
    assert list(post.gateway.delivered) == []


async def version_of(database: Database, person_id: UUID) -> int:
    async with database.read() as session:
        found = "select version from member where person_id = $1"
        version: int = await (await raw(session)).fetchval(found, person_id)
        return version
