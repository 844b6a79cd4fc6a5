"""Good requests of identity."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pyotp

from database import new_id
from standalone.seed.sign_in import SignedIn, SignInRefused
from tests.flows.matrix.examples.asking import Example, of, only
from tests.flows.matrix.world import World, an_account_list, an_assistance, replacement_for
from tests.flows.ways_in import a_client, a_number, code_to, made_passkey


def _an_account(world: World) -> dict[str, Any]:
    name = f"new.{new_id().hex[-10:]}"
    return {"organisation_id": world.things["county_id"], "username": name, "password": "一个新开的账号-2026"}


async def _give_list(world: World) -> None:
    made = await world.person("administrator").post("/v1/account-lists", an_account_list(world))
    world.things["list_id"] = made["list_id"]


async def _begin_first_sign_in(world: World) -> None:
    """Have an account opened for somebody, who comes as far as the page with the number."""
    account = {**_an_account(world), "person_id": str(new_id())}
    await world.person("administrator").post("/v1/accounts", account)
    world.things["newcomer_id"] = account["person_id"]

    async def note(number: str) -> None:
        world.bodies["newcomers_number"] = {"number": number}

    given = account["password"]
    newcomer = SignedIn(world.system.url, account["username"], f"{given}-自己的", first_password=given, confirmed=note)
    with suppress(SignInRefused):  # nobody has confirmed it yet
        await newcomer.headers()


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


async def _ask_for_code(world: World) -> None:
    asked = {**an_assistance(world), "subject_id": world.ids["helped"], "organisation_id": world.things["county_id"]}
    helper = world.person("branch_secretary.here")
    begun = await helper.post("/v1/assisted-sessions", {**asked, "evidence": "one_time_code"})
    world.things["coded_assist_id"] = begun["assist_id"]
    world.bodies["consent_code"] = {"code": await code_to(world.outside.phones, world.things["phone of helped"])}


EXAMPLES: Mapping[str, Example] = {
    # the provider
    "GET /oauth2/userinfo": Example(),
    # accounts and ways in
    "POST /v1/accounts": Example(_an_account),
    "POST /v1/account-lists": Example(an_account_list),
    "GET /v1/account-lists": Example(),
    "GET /v1/account-lists/{list_id}": Example(),
    "GET /v1/account-lists/{list_id}/rows": Example(),
    "POST /v1/account-lists/{list_id}/approval": Example(by="officer.here", before=_give_list),
    "POST /v1/account-lists/{list_id}/refusal": Example(by="officer.here", before=_give_list),
    "DELETE /v1/account-lists/{list_id}": Example(before=_give_list),
    "POST /v1/accounts/{account_id}/confirmation": Example(
        lambda world: world.bodies["newcomers_number"],
        by="officer.here",
        ids={"account_id": "newcomer_id"},
        before=_begin_first_sign_in,
    ),
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
    "POST /v1/me/sessions/revocation": Example(of(keep_current=True)),
    "DELETE /v1/me/sessions/{session_id}": Example(by="deputy", last=True),
    "GET /v1/me/totp": Example(),
    "POST /v1/me/totp": Example(by="expendable_self"),
    "POST /v1/me/totp/confirm": Example(lambda world: world.bodies["app_code"], by="enroller", before=_begin_app),
    "POST /v1/me/totp/recovery-codes": Example(by="officer.here"),
    "DELETE /v1/me/totp": Example(by="helper.here", last=True),
    "GET /v1/me/passkeys": Example(),
    "POST /v1/me/passkeys/registrations": Example(by="expendable_self"),
    "POST /v1/me/passkeys": Example(lambda world: world.bodies["new_passkey"], by="keyholder", before=_make_passkey),
    "PATCH /v1/me/passkeys/{passkey_id}": Example(of(name="钥匙"), by="keyholder"),
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
    # roles
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
        lambda world: {"person_id": world.ids["expendable"]}, by="officer.here", stranger=only(401)
    ),
    "DELETE /v1/role-assignments/{assignment_id}/delegations/{delegation_id}": Example(by="officer.here", last=True),
    # clients
    "GET /v1/clients": Example(by="administrator", province=True),
    "POST /v1/clients": Example(lambda _: a_client(), by="administrator", province=True),
    "GET /v1/clients/{client_id}": Example(by="administrator", province=True),
    "POST /v1/clients/{client_id}/approval": Example(
        of(proposal_id="$client_proposal_id"), by="security", province=True
    ),
    "POST /v1/clients/{client_id}/refusal": Example(
        of(proposal_id="$other_client_proposal_id"),
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
    # assisted sessions
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
    "POST /v1/assisted-sessions/{assist_id}/witness": Example(by="officer.here", stranger=only(401, 404)),
    "POST /v1/assisted-sessions/{assist_id}/ticket": Example(by="branch_secretary.here", last=True),
    "POST /v1/assisted-sessions/{assist_id}/end": Example(
        by="branch_secretary.here", ids={"assist_id": "coded_assist_id"}, last=True
    ),
    # what is one's own
    "GET /v1/me/consents": Example(),
    "GET /v1/me/consent-history": Example(),
    "PUT /v1/me/consents/{purpose}": Example(of(text_version=1), stranger=only(200, 404, 409, 422)),
    "DELETE /v1/me/consents/{purpose}": Example(stranger=only(200, 204, 404), last=True),
    "GET /v1/me/export-requests": Example(by="secretary"),
    "POST /v1/me/export-requests": Example(by="secretary"),
    "GET /v1/me/export-requests/{export_id}": Example(by="secretary"),
    "GET /v1/me/erasure": Example(),
    "POST /v1/me/erasure": Example(by="forgotten", last=True),
    "GET /v1/legal-holds": Example(),
    "POST /v1/legal-holds": Example(lambda world: {"person_id": world.ids["deputy"], "basis": world.things["basis"]}),
    "DELETE /v1/legal-holds/{hold_id}": Example(last=True),
}
