"""One good request for every operation, by whoever may make it, and what others are told where it is not the usual."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyotp

from database import new_id
from standalone.seed.people import check_character
from standalone.services import NAMES
from tests.flows.matrix.world import World, a_course, a_meeting, an_assistance, an_organisation, replacement_for
from tests.flows.ways_in import a_client, a_number, code_to, made_passkey

Body = Callable[[World], Any]


@dataclass(frozen=True)
class Example:
    """How to ask for an operation's good.

    `by` is whose request must not be refused: without it whoever holds the first role that has the permission in the
    first county, or the member whose things these are. `ids` name things for parameters that are called otherwise.
    `stranger` and `beside` are the statuses for somebody with no role, and for the same role in the county beside,
    where they are not the usual ones. `province`: a role in a county is no role there. `shown_to_all`: everybody may
    see it. `before` is what somebody does just before the good request, so that it succeeds.
    """

    body: Body | None = None
    query: Body | None = None
    by: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    stranger: frozenset[int] | None = None
    beside: frozenset[int] | None = None
    shown_to_all: bool = False
    province: bool = False
    last: bool = False
    before: Callable[[World], Awaitable[None]] | None = None


def _only(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


def _of(**fields: Any) -> Body:
    """Make a body whose text values that begin with "$" name things."""

    def body(world: World) -> dict[str, Any]:
        return {name: _value(world, value) for name, value in fields.items()}

    return body


def _value(world: World, value: Any) -> Any:
    if isinstance(value, list):
        return [_value(world, each) for each in value]
    return world.things[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def _an_id_number() -> str:
    born = date(1960, 1, 1) + timedelta(days=secrets.randbelow(15_000))
    first_seventeen = f"110105{born:%Y%m%d}{secrets.randbelow(1000):03}"
    return first_seventeen + check_character(first_seventeen)


def a_member(world: World, place: str = "branch_id") -> dict[str, Any]:
    return {
        "person_id": str(new_id()),
        "organisation_id": world.things[place],
        "stage": "applicant",
        "name": "张三",
        "id_number": _an_id_number(),
        "smartphone": True,
    }


def _an_account(world: World) -> dict[str, Any]:
    name = f"new.{new_id().hex[-10:]}"
    return {"organisation_id": world.things["county_id"], "username": name, "password": "一个新开的账号-2026"}


async def _make_passkey(world: World) -> None:
    world.person("keyholder").sign_in_anew()  # ways in are changed within ten minutes of signing in
    _, world.bodies["new_passkey"] = await made_passkey(world.person("keyholder"), world.system.url)


async def _name_phone(world: World) -> None:
    phone = a_number()
    named = await world.person("officer.here").post("/v1/me/phone", {"phone": phone}, status=202)
    code = await code_to(world.outside.phones, phone)
    world.bodies["phone_code"] = {"challenge_id": named["challenge_id"], "code": code}


async def _begin_app(world: World) -> None:
    world.person("enroller").sign_in_anew()
    begun = await world.person("enroller").post("/v1/me/totp")
    world.bodies["app_code"] = {"code": pyotp.TOTP(begun["secret"]).now()}


async def _propose_phone(world: World) -> None:
    world.things["replacement_id"], world.bodies["replacement_code"] = await replacement_for(world, "helped")


async def _confirm_phone(world: World) -> None:
    replacement_id, code = await replacement_for(world, "locked_out")
    path = f"/v1/phone-replacements/{replacement_id}/confirmation"
    await world.person("officer.here").post(path, code, status=200)
    world.things["confirmed_replacement_id"] = replacement_id


async def _suspend(world: World) -> None:
    await world.person("security").post(f"/v1/clients/{world.things['client_id']}/suspension", status=200)


async def _move_away(world: World) -> None:
    registrar, moving = world.person("registrar.here"), world.things["moving_id"]
    elsewhere = await registrar.post("/v1/organisations", an_organisation(world))
    body = {"parent_id": elsewhere["organisation_id"]}
    await registrar.post(f"/v1/organisations/{moving}/moves", body, status=200)


async def _need_help(world: World) -> None:
    path = f"/v1/lessons/{world.things['lesson_id']}/understanding"
    await world.person("member").post(path, {"understanding": "need_help"}, status=200)


async def _ask_for_code(world: World) -> None:
    asked = {**an_assistance(world), "subject_id": world.ids["helped"], "organisation_id": world.things["county_id"]}
    helper = world.person("branch_secretary.here")
    begun = await helper.post("/v1/assisted-sessions", {**asked, "evidence": "one_time_code"})
    world.things["coded_assist_id"] = begun["assist_id"]
    world.bodies["consent_code"] = {"code": await code_to(world.outside.phones, world.things["phone of helped"])}


BY_ROW = _only(422)
"""Rows are refused one by one, and one in an organisation elsewhere in the words for one that does not exist."""
IN_BRANCH = _of(organisation_id="$branch_id")
A_DAY = datetime.now(UTC).date().isoformat()

EXAMPLES: Mapping[str, Example] = {
    # identity: the provider
    "GET /oauth2/userinfo": Example(),
    # identity: accounts and ways in
    "POST /v1/accounts": Example(_an_account),
    "POST /v1/accounts/{account_id}/deactivation": Example(last=True, ids={"account_id": "expendable_id"}),
    "POST /v1/accounts/{account_id}/reactivation": Example(last=True, ids={"account_id": "expendable_id"}),
    "POST /v1/accounts/{account_id}/sessions/revocation": Example(ids={"account_id": "expendable_id"}),
    "GET /v1/me": Example(),
    "POST /v1/me/password": Example(
        lambda world: {"old_password": world.password_of("expendable_self"), "new_password": "换过的密码-不好猜-2026"},
        by="expendable_self",
        last=True,
    ),
    "POST /v1/me/phone": Example(lambda _: {"phone": a_number()}, by="keyholder"),
    "POST /v1/me/phone/confirmation": Example(
        lambda world: world.bodies["phone_code"], by="officer.here", before=_name_phone
    ),
    "GET /v1/me/sessions": Example(),
    "POST /v1/me/sessions/revocation": Example(_of(keep_current=True)),
    "DELETE /v1/me/sessions/{session_id}": Example(by="deputy", last=True),
    "GET /v1/me/totp": Example(),
    "POST /v1/me/totp": Example(by="expendable_self"),
    "POST /v1/me/totp/confirm": Example(lambda world: world.bodies["app_code"], by="enroller", before=_begin_app),
    "POST /v1/me/totp/recovery-codes": Example(by="officer.here"),
    "DELETE /v1/me/totp": Example(by="helper.here", last=True),
    "GET /v1/me/passkeys": Example(),
    "POST /v1/me/passkeys/registrations": Example(by="expendable_self"),
    "POST /v1/me/passkeys": Example(lambda world: world.bodies["new_passkey"], by="keyholder", before=_make_passkey),
    "PATCH /v1/me/passkeys/{passkey_id}": Example(_of(name="钥匙"), by="keyholder"),
    "DELETE /v1/me/passkeys/{passkey_id}": Example(by="keyholder", last=True),
    "GET /v1/me/wechat": Example(),
    "DELETE /v1/me/wechat": Example(by="linked"),
    "GET /v1/recoveries": Example(by="officer.here"),
    "POST /v1/recoveries/{recovery_id}/approvals": Example(by="officer.here"),
    "POST /v1/recoveries/{recovery_id}/objection": Example(by="locked_out", last=True),
    "GET /v1/phone-replacements": Example(by="officer.here"),
    "POST /v1/phone-replacements": Example(
        lambda world: {"person_id": world.ids["candidate"], "phone": a_number()}, by="officer.here"
    ),
    "POST /v1/phone-replacements/{replacement_id}/confirmation": Example(
        lambda world: world.bodies["replacement_code"], by="officer.here", before=_propose_phone
    ),
    "POST /v1/phone-replacements/{replacement_id}/approvals": Example(
        by="branch_secretary.here", ids={"replacement_id": "confirmed_replacement_id"}, before=_confirm_phone
    ),
    "POST /v1/phone-replacements/{replacement_id}/objection": Example(by="helped", last=True),
    # identity: roles
    "GET /v1/roles": Example(),
    "GET /v1/role-assignments": Example(by="security_administrator.here"),
    "POST /v1/role-assignments": Example(
        lambda world: {
            "person_id": world.ids["deputy"],
            "role": "registrar",
            "organisation_id": world.things["branch_id"],
        }
    ),
    "DELETE /v1/role-assignments/{assignment_id}": Example(ids={"assignment_id": "other_proposal_id"}),
    "POST /v1/role-assignments/{assignment_id}/approval": Example(ids={"assignment_id": "proposal_id"}),
    "POST /v1/role-assignments/{assignment_id}/refusal": Example(ids={"assignment_id": "refused_proposal_id"}),
    "GET /v1/role-assignments/{assignment_id}/delegations": Example(by="officer.here"),
    "POST /v1/role-assignments/{assignment_id}/delegations": Example(
        lambda world: {"person_id": world.ids["expendable"]}, by="officer.here", stranger=_only(401)
    ),
    "DELETE /v1/role-assignments/{assignment_id}/delegations/{delegation_id}": Example(by="officer.here", last=True),
    # identity: clients
    "GET /v1/clients": Example(by="administrator", province=True),
    "POST /v1/clients": Example(lambda _: a_client(), by="administrator", province=True),
    "GET /v1/clients/{client_id}": Example(by="administrator", province=True),
    "POST /v1/clients/{client_id}/approval": Example(
        _of(proposal_id="$client_proposal_id"), by="security", province=True
    ),
    "POST /v1/clients/{client_id}/refusal": Example(
        _of(proposal_id="$other_client_proposal_id"),
        by="security",
        ids={"client_id": "other_client_id"},
        province=True,
    ),
    "POST /v1/clients/{client_id}/changes": Example(lambda _: a_client(), by="administrator", last=True, province=True),
    "POST /v1/clients/{client_id}/suspension": Example(by="security", last=True, province=True),
    "POST /v1/clients/{client_id}/resumption": Example(by="security", last=True, province=True, before=_suspend),
    "POST /v1/clients/{client_id}/secret-rotations": Example(
        by="security", ids={"client_id": "secret_client_id"}, province=True
    ),
    "GET /v1/me/client-consents": Example(),
    "DELETE /v1/me/client-consents/{client_id}": Example(by="linked", ids={"client_id": "agreed_client_id"}),
    # identity: assisted sessions
    "GET /v1/assisted-sessions": Example(by="branch_secretary.here"),
    "GET /v1/assisted-sessions/actions": Example(),
    "GET /v1/me/assisted-sessions": Example(),
    "POST /v1/assisted-sessions": Example(an_assistance),
    "GET /v1/assisted-sessions/{assist_id}": Example(by="branch_secretary.here"),
    "POST /v1/assisted-sessions/{assist_id}/code": Example(
        lambda world: world.bodies["consent_code"],
        by="branch_secretary.here",
        ids={"assist_id": "coded_assist_id"},
        before=_ask_for_code,
    ),
    "POST /v1/assisted-sessions/{assist_id}/witness": Example(by="officer.here", stranger=_only(401, 404)),
    "POST /v1/assisted-sessions/{assist_id}/ticket": Example(by="branch_secretary.here", last=True),
    "POST /v1/assisted-sessions/{assist_id}/end": Example(
        by="branch_secretary.here", ids={"assist_id": "coded_assist_id"}, last=True
    ),
    # identity: what is one's own
    "GET /v1/me/consents": Example(),
    "GET /v1/me/consent-history": Example(),
    "PUT /v1/me/consents/{purpose}": Example(_of(text_version=1), stranger=_only(200, 404, 409, 422)),
    "DELETE /v1/me/consents/{purpose}": Example(stranger=_only(200, 204, 404), last=True),
    "GET /v1/me/export-requests": Example(by="secretary"),
    "POST /v1/me/export-requests": Example(by="secretary"),
    "GET /v1/me/export-requests/{export_id}": Example(by="secretary"),
    "GET /v1/me/erasure": Example(),
    "POST /v1/me/erasure": Example(by="forgotten", last=True),
    "GET /v1/legal-holds": Example(),
    "POST /v1/legal-holds": Example(lambda world: {"person_id": world.ids["deputy"], "basis": world.things["basis"]}),
    "DELETE /v1/legal-holds/{hold_id}": Example(last=True),
    # members
    "GET /v1/members": Example(query=IN_BRANCH),
    "POST /v1/members": Example(a_member, beside=BY_ROW),
    "POST /v1/member-imports": Example(lambda world: {"rows": [a_member(world)]}, beside=BY_ROW),
    "GET /v1/members/me": Example(),
    "GET /v1/members/{person_id}": Example(query=_of(purpose="contact"), by="officer.here"),
    "POST /v1/members/{person_id}/revisions": Example(
        lambda _: {"base_version": 1, "smartphone": False}, by="registrar.here"
    ),
    "GET /v1/members/{person_id}/versions": Example(query=_of(purpose="contact"), by="officer.here"),
    "GET /v1/organisations": Example(),
    "POST /v1/organisations": Example(an_organisation, beside=BY_ROW),
    "POST /v1/organisation-imports": Example(lambda world: {"rows": [an_organisation(world)]}, beside=BY_ROW),
    "GET /v1/organisations/{organisation_id}": Example(),
    "GET /v1/organisations/{organisation_id}/children": Example(),
    "POST /v1/organisations/{organisation_id}/moves": Example(
        _of(parent_id="$county_id"), ids={"organisation_id": "moving_id"}, before=_move_away
    ),
    "POST /v1/organisations/{organisation_id}/renames": Example(
        _of(name="改名后的乡党委"), ids={"organisation_id": "moving_id"}
    ),
    # activities
    "GET /v1/activities": Example(),
    "POST /v1/activities": Example(a_meeting),
    "GET /v1/activities/{activity_id}": Example(),
    "POST /v1/activities/{activity_id}/registrations": Example(),
    "POST /v1/activities/{activity_id}/attendances": Example(_of(mode="remote"), ids={"activity_id": "going_on_id"}),
    "POST /v1/activities/{activity_id}/attendance-sheets": Example(
        lambda world: {"person_ids": [world.ids["member"]]}, ids={"activity_id": "going_on_id"}
    ),
    "GET /v1/activities/{activity_id}/participations": Example(),
    "POST /v1/activities/{activity_id}/closing": Example(last=True, ids={"activity_id": "going_on_id"}),
    # learning
    "GET /v1/courses": Example(),
    "POST /v1/courses": Example(a_course),
    "GET /v1/courses/{course_id}": Example(),
    "GET /v1/lessons/{lesson_id}": Example(),
    "GET /v1/lessons/{lesson_id}/progress": Example(),
    "PUT /v1/lessons/{lesson_id}/progress": Example(_of(progress=50)),
    "POST /v1/lessons/{lesson_id}/understanding": Example(_of(understanding="need_help")),
    "GET /v1/lessons/{lesson_id}/help-requests": Example(query=IN_BRANCH, by="secretary", before=_need_help),
    "GET /v1/help-requests": Example(query=IN_BRANCH),
    # feedback
    "GET /v1/cases": Example(),
    "POST /v1/cases": Example(_of(category="roads", organisation_id="$branch_id", text="路灯坏了"), shown_to_all=True),
    "GET /v1/cases/{case_id}": Example(),
    "POST /v1/cases/{case_id}/answers": Example(_of(text="已派人维修")),
    "POST /v1/cases/{case_id}/confirmation": Example(last=True),
    "GET /v1/responsibilities": Example(shown_to_all=True),
    "POST /v1/responsibilities": Example(
        _of(
            category="roads",
            organisation_id="$branch_id",
            responsible_id="$branch_id",
            working_days=5,
            valid_from=A_DAY,
        )
    ),
    # the gateway's own
    "GET /v1/home": Example(),
    "GET /v1/me/access-log": Example(),
    "GET /v1/overview/{organisation_id}": Example(),
    "POST /v1/me/exports": Example(by="secretary"),
    "GET /v1/me/export": Example(by="secretary"),
    "GET /v1/me/exports/{export_id}": Example(by="secretary"),
    "GET /v1/me/exports/{export_id}/file": Example(by="secretary", last=True),
    "GET /v1/overview/{organisation_id}/children": Example(),
    # the audit of every service
    **{
        name.format(service): example
        for service in NAMES
        for name, example in {
            "GET /v1/audit/{0}/entries": Example(by="auditor", province=True),
            "GET /v1/me/access-log/{0}": Example(),
        }.items()
    },
}
