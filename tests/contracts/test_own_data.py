"""No table that names a person escapes their file and their erasure, but by a list that says why."""

import pkgutil
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from contracts import SERVICES
from database import Database, KeyRing, new_id, raw
from database.migrations import declared_by
from orgtree import ROOT_ID
from privacy import AllOwnData, Asked, branch, compose_all
from privacy.own_data import forget_all
from testkit.databases import Template, TestDatabases

TemplateOf = Callable[[str], Awaitable[Template]]

NAMES_A_PERSON = re.compile(
    r"(person|account|reporter|actor|helper|approver|witness|reader)_id|\w+_by|on_behalf_of|actor|person|audience"
)
"""The columns by which a row is about somebody."""
_COLUMNS = """
select table_name, column_name from information_schema.columns
where table_schema = 'public' and table_name !~ '_(\\d{8}|default)$'
"""

NOT_OF_FEATURES = {
    "erased_person": "the tombstone itself",
    "export_part": "the file itself; `privacy.handlers` delete it with its person",
    "idempotency_key": "an answer to its sender alone, for 48 hours; `privacy.handlers` delete it with its person",
    "role_definition": "by which roles a role is granted, no person",
    "rollup_delta": "a keyed hash, folded away within seconds",
    "rollup_person": "a keyed hash, which leaves with the contributions that brought it",
}
IN_OFFICE = "who did what in office is the organisation's record; the id leads to nobody any more"
UNTOLD: dict[str, dict[str, str]] = {
    "members": {
        "affiliation": "told with the file, whose branch it is",
        "phone_message": "what was sent is with its person already",
    },
    "activities": {},
    "learning": {},
    "feedback": {},
    "identity": {
        "account_list": IN_OFFICE,
        "administrator": "told as a role",
        "authorization_code": "a minute of a sign-in that is told",
        "challenge": "a code sent, for minutes",
        "client_proposal": IN_OFFICE,
        "device_code": "minutes of a sign-in that is told",
        "erasure": "there is nobody left to ask",
        "message_to_send": "what was sent is with its person already",
        "passkey_ceremony": "five minutes of a passkey that is told",
        "phone_proof": "a code sent, for minutes",
        "recovery_approval": "told with its recovery; who approved is somebody else",
    },
    "gateway": {
        "affiliation": "told by the services that a branch matters to",
        "contribution": "the figures' share of what the service that told it puts into the file",
    },
}
"""Tables of which a person's file has nothing, by service."""
KEPT: dict[str, dict[str, str]] = {
    "members": {
        "affiliation": "by it people were counted where they belonged",
        "file_access": "who opened whose file is on record for both",
        "member_version": "sealed under a key that is destroyed",
    },
    "activities": {
        "activity": IN_OFFICE,
        "affiliation": "by it people were counted where they belonged",
        "attendance_report": "an id that leads to nobody; what was counted stays",
        "participation": "an id that leads to nobody; what was counted stays",
    },
    "learning": {
        "affiliation": "by it people were counted where they belonged",
        "course_edition": IN_OFFICE,
        "enrolment": "an id that leads to nobody",
    },
    "feedback": {
        "affiliation": "by it people were counted where they belonged",
        "case_entry": "sealed under the case's key, which is destroyed; who brought the case is shown to nobody",
        "responsibility": IN_OFFICE,
    },
    "gateway": {"affiliation": "by it people were counted where they belonged"},
    "identity": {
        "account_list": IN_OFFICE,
        "affiliation": "by it people were counted where they belonged",
        "client_proposal": IN_OFFICE,
    },
}
"""Tables in which an erasure leaves the rows about a person, by service; identity has more of its own."""

_OFFICIAL = "the organisation's own; who set it down finds it by its title"
_SECRET = "it proves who somebody is, or opens something"
_OURS = "a number by which rows are told apart or put in order here"
_SOMEBODY = "it names somebody else"
_IN_CLEAR = "it is told in clear under another name"
_PASSING = "it says what the service does next, for minutes or days"
WITHHELD = {
    "account.authorization_changed_at": _OURS,
    "account.authorization_changes": _OURS,
    "account.authorization_version": _OURS,
    "account_list_row.attempts": _OURS,
    "account_list_row.due_at": _PASSING,
    "account_list_row.list_id": _OURS,
    "account_list_row.number": _OURS,
    "account_list_row.row_id": _OURS,
    "account.opened_by": _SOMEBODY,
    "account.opened_within": _SOMEBODY,
    "account.proven_by": _SOMEBODY,
    "activity.agenda": _OFFICIAL,
    "activity.join_url": _OFFICIAL,
    "activity.place": _OFFICIAL,
    "activity.status": _OFFICIAL,
    "activity.version": _OURS,
    "assisted_session.challenge_id": _OURS,
    "assisted_session.ended_by": _SOMEBODY,
    "assisted_session.exchanged_at": _PASSING,
    "assisted_session.helper_session_id": _SOMEBODY,
    "assisted_session.ticket_expires_at": _PASSING,
    "assisted_session.ticket_hash": _SECRET,
    "change.version": _OURS,
    "consent.consent_id": _OURS,
    "credential.credential_id": _OURS,
    "federated_identity.federated_identity_id": _OURS,
    "federated_identity.subject_index": _SECRET,
    "file_access.reader_id": _SOMEBODY,
    "home_change.version": _OURS,
    "home_done.version": _OURS,
    "home_item.version": _OURS,
    "identifier.blind_index": _SECRET,
    "identifier.identifier_id": _OURS,
    "identifier.plain": _IN_CLEAR,
    "known_browser.secret_hash": _SECRET,
    "legal_hold.hold_id": _OURS,
    "legal_hold.lifted_by": _SOMEBODY,
    "legal_hold.placed_by": _SOMEBODY,
    "lesson_study.version": _OURS,
    "member.affiliation_version": _OURS,
    "member_key.made_at": _SECRET,
    "member_version.id_number": _IN_CLEAR,
    "member_version.name": _IN_CLEAR,
    "member_version.phone": _IN_CLEAR,
    "member_version.phone_proves_from": _OURS,
    "member_version.recorded_by": _SOMEBODY,
    "participation.version": _OURS,
    "passkey.credential_id": _SECRET,
    "passkey.passkey_id": _OURS,
    "passkey.public_key": _SECRET,
    "passkey.sealed_name": _IN_CLEAR,
    "passkey.sign_count": _OURS,
    "phone_replacement.approved_by": _SOMEBODY,
    "phone_replacement.challenge_id": _OURS,
    "phone_replacement.proposed_by": _SOMEBODY,
    "phone_replacement.replacement_id": _OURS,
    "phone_replacement.sealed_phone": _PASSING,
    "recovery.proof_expires_at": _PASSING,
    "recovery.proof_hash": _SECRET,
    "recovery.recovery_id": _OURS,
    "recovery_code.code_hash": _SECRET,
    "role_assignment.decided_by": _SOMEBODY,
    "role_assignment.delegated_from": _SOMEBODY,
    "role_assignment.ended_by": _SOMEBODY,
    "role_assignment.granted_by": _SOMEBODY,
    "role_assignment.version": _OURS,
    "session.cookie_hash": _SECRET,
    "session.session_id": _OURS,
    "session.waiting_request": _PASSING,
    "sync_receipt.month": _OURS,
    "sync_receipt.op_hash": _OURS,
    "token_family.family_id": _OURS,
    "token_family.session_id": _OURS,
    "token_family.terminal_hash": _SECRET,
    "totp.last_used_step": _SECRET,
    "totp.totp_id": _OURS,
}
"""Columns of tables that are told, of which the person's file has nothing."""


def own_data_of(service: str) -> AllOwnData:
    own_data: AllOwnData = import_module(f"{service}.worker").OWN_DATA
    return own_data


def kept_by(service: str) -> set[str]:
    beside: dict[str, str] = import_module("identity.privacy.removal").KEPT if service == "identity" else {}
    return {*NOT_OF_FEATURES, *KEPT[service], *beside}


@contextmanager
def heard(database: Database, connection: asyncpg.Connection) -> Iterator[list[str]]:
    """Hear what is asked of the database meanwhile, through SQLAlchemy or on the driver's connection."""
    statements: list[str] = []

    def hear(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", hear)
    with connection.query_logger(lambda record: statements.append(record.query)):
        yield statements
    event.remove(database.engine.sync_engine, "before_cursor_execute", hear)


def named_in(statements: list[str], tables: set[str]) -> set[str]:
    words = set(re.findall(r"\w+", " ".join(statements)))
    return tables & words


async def somebody(session: AsyncSession, service: str) -> Any:
    """Make the one row without which nobody can be asked for."""
    person_id = new_id()
    if service == "identity":
        await (await raw(session)).execute(
            "insert into account (account_id, organisation_id, status, opened_at) values ($1, $2, 'active', now())",
            person_id,
            ROOT_ID,
        )
    return person_id


async def touched(
    service: str, own_data: AllOwnData, databases: TestDatabases, template: Template
) -> tuple[set[str], set[str], set[str]]:
    """Give the tables that name a person, those a person's file is made from, and those an erasure changes."""
    async with databases.database(template) as url:
        database = Database(url, application_name="test")
        async with database.transaction() as session:
            connection = await raw(session)
            columns = await connection.fetch(_COLUMNS)
            about = {row["table_name"] for row in columns if NAMES_A_PERSON.fullmatch(row["column_name"])}
            asked = Asked(session, await somebody(session, service), KeyRing.parse(KeyRing.generate()))
            with heard(database, connection) as told:
                await compose_all(own_data, asked)
            with heard(database, connection) as forgotten:
                await forget_all(own_data, session, [asked.person_id])
        await database.close()
    return about, named_in(told, about), named_in(forgotten, about)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_that_names_a_person_is_told_and_forgotten_or_listed(
    service: str, databases: TestDatabases, template_of: TemplateOf
) -> None:
    about, told, forgotten = await touched(service, own_data_of(service), databases, await template_of(service))
    unlisted = about - NOT_OF_FEATURES.keys()
    assert unlisted - told == UNTOLD[service].keys()
    assert unlisted - forgotten <= kept_by(service)
    assert KEPT[service].keys() <= unlisted - forgotten


async def test_a_feature_left_out_would_be_found(databases: TestDatabases, template_of: TemplateOf) -> None:
    template = await template_of("feedback")
    about, told, forgotten = await touched("feedback", (branch,), databases, template)
    assert {"feedback_case", "case_entry", "responsibility"} <= about - told
    assert "feedback_case" in about - forgotten - kept_by("feedback")


def sources_of(service: str) -> str:
    """Give the text of every module from which a service composes a person's file."""
    packages = pkgutil.walk_packages(import_module(service).__path__, f"{service}.")
    modules = [each.name for each in packages if each.name.endswith("own_data")]
    return "\n".join(Path(str(import_module(name).__file__)).read_text() for name in modules)


@pytest.mark.parametrize("service", SERVICES)
def test_every_column_of_a_table_that_is_told_is_told_or_listed(service: str) -> None:
    told = set(re.findall(r"\w+", sources_of(service)))
    tables = [
        each for each in declared_by(service).tables.values() if each.name not in {*NOT_OF_FEATURES, *UNTOLD[service]}
    ]
    about = [each for each in tables if any(NAMES_A_PERSON.fullmatch(column.name) for column in each.columns)]
    untold = {f"{each.name}.{column.name}" for each in about for column in each.columns if column.name not in told}
    assert untold - WITHHELD.keys() == set(), "tell it in the feature's `own_data`, or say here why not"
    assert {each for each in WITHHELD if each.partition(".")[0] in {table.name for table in about}} == untold
