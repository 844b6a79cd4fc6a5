"""Assisted sessions: consent, the ticket, the exchange, and the end after half an hour at the latest."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from joserfc import jws
from sqlalchemy import text, update

import orgtree
from contracts.identity import SessionRevokedV1
from database import raw, utc_now
from identity.assistance.commands import close_what_is_over
from identity.assistance.event_handlers import HANDLERS
from identity.assistance.exchange import GRANT_TYPE
from identity.assistance.rules import ACTIONS as LISTED
from identity.assistance.tables import AssistedSession
from identity.privacy import own_data
from messaging import Received
from privacy import Asked

from .front_end import Tokens
from .granting import strongly_signed_in
from .helping import ACTIONS, Village, village
from .phones import Phones
from .provider import Provider, ring
from .terminals import DEVICE_CODE, register


@pytest.fixture
async def here(provider: Provider, phones: Phones) -> Village:
    return await village(provider, phones)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = orjson.loads(jws.extract_compact(token.encode()).payload or b"")
    return claims


async def audited(provider: Provider, assist_id: str) -> list[tuple[str, UUID, UUID, str]]:
    async with provider.database.read() as session:
        rows = await (await raw(session)).fetch(
            "select action, actor, subject, decision from audit.entry where assist_id = $1 order by id", UUID(assist_id)
        )
    return [tuple(row) for row in rows]


async def moved_back(provider: Provider, assist_id: str, **spans: timedelta) -> None:
    """Let a session's moments lie further back."""
    changed = {name: getattr(AssistedSession, name) - span for name, span in spans.items()}
    async with provider.database.transaction() as session:
        this = AssistedSession.assist_id == UUID(assist_id)
        await session.execute(update(AssistedSession).where(this).values(changed))


async def test_a_code_from_the_villager_gives_the_helper_a_token_that_names_both(here: Village) -> None:
    assist_id = await here.consented()
    answer = await here.exchange(await here.ticket(assist_id))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["issued_token_type"].endswith(":access_token")
    assert "refresh_token" not in body
    assert 1700 < body["expires_in"] <= 1800
    claims = claims_of(body["access_token"])
    assert (claims["sub"], claims["act"]) == (str(here.villager_id), {"sub": str(here.helper_id)})
    assert claims["assist"] == {"id": assist_id, "actions": ACTIONS}
    assert (claims["roles"], claims["acr"], claims["sid"]) == ([], "1", assist_id)
    assert claims["exp"] - claims["auth_time"] <= 1800


async def test_both_ids_are_audited_and_the_villager_is_told(here: Village) -> None:
    """Check 14: the consent."""
    assist_id = await here.consented()
    asked, begun = (await here.phones.messages_to(here.number))[-2:]
    assert asked.parameters[:2] == ("县委", "报名参加活动、查看待办")
    assert begun.template.startswith("assistance_begun.")
    assert begun.parameters[0] == "县委"
    assert await audited(here.provider, assist_id) == [
        ("identity.assistance.asked", here.helper_id, here.villager_id, "allowed"),
        ("identity.assistance.consented", here.helper_id, here.villager_id, "allowed"),
    ]
    seen = (await here.provider.http.get("/v1/me/assisted-sessions", headers=here.villager.headers)).json()["items"]
    assert [(each["assist_id"], each["organisation_name"], each["status"]) for each in seen] == [
        (assist_id, "县委", "consented")
    ]
    beside = (await here.provider.http.get("/v1/me/assisted-sessions", headers=here.helper.headers)).json()["items"]
    assert beside == []


async def test_a_witness_stands_in_for_the_code(here: Village) -> None:
    asked = (await here.ask(evidence="witness")).json()
    secretary_id, secretary = await strongly_signed_in(here.provider, ("branch_secretary", here.organisation_id))
    _, stranger = await strongly_signed_in(here.provider, ("branch_secretary", await here.provider.establish()))
    _, weak = await here.provider.weakly_signed_in(("branch_secretary", here.organisation_id))
    path = f"{asked['assist_id']}/witness"
    assert (await here.post(path, stranger)).status_code == 404
    assert (await here.post(path, weak)).json()["type"] == "/problems/step_up_required"
    assert (await here.post(path, here.helper)).json()["type"] == "/problems/help_for_oneself"
    witnessed = await here.post(path, secretary)
    assert (witnessed.status_code, witnessed.json()["status"]) == (200, "consented")
    assert (await here.post(path, secretary)).json()["type"] == "/problems/not_asked"
    assert (await here.exchange(await here.ticket(asked["assist_id"]))).status_code == 200
    assert secretary_id in {actor for _, actor, _, _ in await audited(here.provider, asked["assist_id"])}


@pytest.mark.parametrize(
    ("changed", "status", "problem"),
    [
        ({"actions": ["identity.change_password"]}, 422, "action_unlisted"),
        ({"actions": ["identity.export"]}, 422, "action_unlisted"),
        ({"subject_id": str(uuid4())}, 404, "not_found"),
        ({"organisation_id": str(uuid4())}, 404, "not_found"),
        ({"actions": []}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_asked_is_refused(here: Village, changed: Any, status: int, problem: str) -> None:
    """Check 13: an action that is not listed."""
    refused = await here.ask(**changed)
    assert (refused.status_code, refused.json()["type"]) == (status, f"/problems/{problem}")


async def test_nobody_helps_oneself_or_without_the_permission(here: Village) -> None:
    assert (await here.ask(subject_id=str(here.helper_id))).json()["type"] == "/problems/help_for_oneself"
    here.helper = here.villager
    assert (await here.ask()).json()["type"] == "/problems/permission_missing"


async def test_a_helper_reaches_only_people_of_the_own_remit(here: Village) -> None:
    _, here.helper = await strongly_signed_in(here.provider, ("helper", here.organisation_id))
    assert (await here.ask()).json()["type"] == "/problems/not_found"  # the villager's account is of the province


async def test_the_sixth_wrong_code_meets_no_session(here: Village) -> None:
    assist_id = (await here.ask()).json()["assist_id"]
    right = await here.code()
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(5):
        refused = await here.post(f"{assist_id}/code", here.helper, {"code": wrong})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/code_refused")
    assert (await here.post(f"{assist_id}/code", here.helper, {"code": right})).status_code == 422
    assert (await here.post(f"{assist_id}/ticket", here.helper)).json()["type"] == "/problems/no_consent"


async def test_somebody_elses_session_does_not_exist(here: Village) -> None:
    assist_id = await here.consented()
    _, other = await strongly_signed_in(here.provider, ("helper", await here.provider.establish()))
    for path in ("code", "ticket", "end"):
        body = {"code": "123456"} if path == "code" else None
        assert (await here.post(f"{assist_id}/{path}", other, body)).status_code == 404
    seen = await here.provider.http.get(f"/v1/assisted-sessions/{assist_id}", headers=other.headers)
    assert seen.status_code == 404


@pytest.mark.parametrize(
    "changed",
    [
        {"actor_token": None, "actor_token_type": None},
        {"actor_token": "no.token.atall"},
        {"actor_token_type": "urn:ietf:params:oauth:token-type:jwt"},
        {"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"},
        {"subject_token": "a-ticket-that-nobody-gave"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"audience": "elsewhere"},
        {"client_id": "docs"},
        {"scope": "openid profile introspect"},
        {"resource": "https://elsewhere.example"},
    ],
)
async def test_an_exchange_that_is_not_whole_is_refused(here: Village, changed: Any) -> None:
    """Check 13: without an actor token, and by other halves."""
    ticket = await here.ticket(await here.consented())
    fields = {"subject_token": ticket, **changed}
    refused = await here.exchange(**{"ticket": ticket, **fields})
    assert refused.status_code in {400, 401}, refused.text
    assert refused.json()["error"] in {
        "invalid_request", "invalid_scope", "invalid_target", "unauthorized_client"
    }  # fmt: skip
    assert (await here.exchange(ticket)).status_code == 200  # what was refused spent nothing


async def test_a_helper_of_a_helper_is_refused(here: Village) -> None:
    """Check 13: nested."""
    first = (await here.exchange(await here.ticket(await here.consented()))).json()["access_token"]
    other = await village(here.provider, here.phones)
    refused = await other.exchange(await other.ticket(await other.consented()), actor=first)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def test_a_ticket_is_good_for_its_helper_alone(here: Village) -> None:
    ticket = await here.ticket(await here.consented())
    _, other = await strongly_signed_in(here.provider, ("helper", orgtree.ROOT_ID))
    assert (await here.exchange(ticket, actor=other.access)).status_code == 400
    assert (await here.exchange(ticket)).status_code == 200


async def test_of_ten_exchanges_at_once_one_wins(here: Village) -> None:
    ticket = await here.ticket(await here.consented())
    answers = await asyncio.gather(*(here.exchange(ticket) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 9]


async def test_a_ticket_that_was_replaced_or_is_old_is_worth_nothing(here: Village) -> None:
    """Check 13: expired."""
    assist_id = await here.consented()
    former, ticket = await here.ticket(assist_id), await here.ticket(assist_id)
    assert (await here.exchange(former)).status_code == 400
    await moved_back(here.provider, assist_id, ticket_expires_at=timedelta(minutes=6))
    assert (await here.exchange(ticket)).status_code == 400


async def test_the_half_hour_begins_with_the_consent_not_with_the_exchange(here: Village) -> None:
    assist_id = await here.consented()
    back = timedelta(minutes=26)
    await moved_back(here.provider, assist_id, asked_at=back, consented_at=back, expires_at=back)
    answer = (await here.exchange(await here.ticket(assist_id))).json()
    assert 200 < answer["expires_in"] <= 240


async def test_a_signed_out_helper_exchanges_nothing(here: Village) -> None:
    ticket = await here.ticket(await here.consented())
    async with here.provider.database.transaction() as session:
        sid = UUID(claims_of(here.helper.access)["sid"])
        await session.execute(
            text("update token_family set revoked_at = now(), revoked_for = 'signed_out' where family_id = :sid"),
            {"sid": sid},
        )
    assert (await here.exchange(ticket)).status_code == 400


@pytest.mark.parametrize("who", ["villager", "helper"])
async def test_either_ends_it_and_every_service_hears_of_it(here: Village, who: str) -> None:
    assist_id = await here.consented()
    await here.exchange(await here.ticket(assist_id))
    tokens: Tokens = getattr(here, who)
    ended = await here.post(f"{assist_id}/end", tokens)
    assert (ended.status_code, ended.json()["status"]) == (200, "ended")
    assert (await here.post(f"{assist_id}/end", tokens)).status_code == 200
    async with here.provider.database.read() as session:
        told = await (await raw(session)).fetch(
            "select type from outbox where aggregate_id = $1 order by id", UUID(assist_id)
        )
    assert [row["type"] for row in told] == [SessionRevokedV1.type]
    assert (await here.post(f"{assist_id}/ticket", here.helper)).json()["type"] == "/problems/no_consent"
    assert (await here.phones.messages_to(here.number))[-1].template.startswith("assistance_ended.")


async def test_it_ends_with_the_helpers_own_sign_in(here: Village) -> None:
    assist_id = await here.consented()
    await here.exchange(await here.ticket(assist_id))
    revoked = SessionRevokedV1(session_id=UUID(claims_of(here.helper.access)["sid"]))
    now = utc_now()
    async with here.provider.database.transaction() as session:
        await HANDLERS[SessionRevokedV1](session, [Received(revoked, 1, uuid4(), now, None, None, None)])
    seen = await here.provider.http.get(f"/v1/assisted-sessions/{assist_id}", headers=here.villager.headers)
    assert seen.json()["status"] == "ended"


async def test_what_is_over_is_closed_and_told(here: Village) -> None:
    assist_id = await here.consented()
    back = timedelta(minutes=31)
    await moved_back(here.provider, assist_id, asked_at=back, consented_at=back, expires_at=back)
    await close_what_is_over(ring(), here.provider.database)
    seen = (await here.provider.http.get("/v1/me/assisted-sessions", headers=here.villager.headers)).json()["items"][0]
    assert (seen["status"], seen["ended_at"]) == ("ended", seen["expires_at"])
    assert (await here.phones.messages_to(here.number))[-1].template.startswith("assistance_ended.")


async def test_the_actions_are_listed_in_both_languages(here: Village) -> None:
    listed = (await here.provider.http.get("/v1/assisted-sessions/actions", headers=here.villager.headers)).json()
    assert [each["action"] for each in listed["items"]] == sorted(LISTED)
    assert all(each["title_zh"] and each["title_en"] for each in listed["items"])
    forbidden = ("credential", "password", "session", "export", "erasure", "consent", "anonymous", "role")
    assert not [action for action in LISTED if any(word in action for word in forbidden)]


async def test_an_export_holds_the_help_one_was_given_and_the_help_one_gave_without_the_other(here: Village) -> None:
    assist_id = await here.consented()
    async with here.provider.database.read() as session:
        helped = await own_data.compose(Asked(session, here.villager_id, ring()))
        helping = await own_data.compose(Asked(session, here.helper_id, ring()))
    assert [str(each["assist_id"]) for each in helped["assisted_sessions"]] == [assist_id]
    assert [str(each["assist_id"]) for each in helping["assistance_given"]] == [assist_id]
    assert (helped["assistance_given"], helping["assisted_sessions"]) == ([], [])
    assert str(here.helper_id) not in str(helped)
    assert str(here.villager_id) not in str(helping)


async def test_no_client_of_others_acts_in_an_assisted_session(here: Village) -> None:
    grants = [DEVICE_CODE, GRANT_TYPE]
    client_id = await register(here.provider, f"others-{here.helper_id.hex[-8:]}", grant_types=grants)
    ticket = await here.ticket(await here.consented())
    refused = await here.exchange(ticket, client_id=client_id)
    assert (refused.status_code, refused.json()["error"]) == (400, "unauthorized_client")
