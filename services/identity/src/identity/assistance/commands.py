"""Asking to help somebody, their consent, the ticket it gives, and the end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

import audit
import orgtree
from database import Database, KeyRing, known, utc_now
from identity.accounts.phones import phone_of
from identity.accounts.remit import require_account_within
from identity.assistance.rules import (
    CONSENT_WITHIN,
    SESSION_LIFETIME,
    TICKET_LIFETIME,
    HelpForOneself,
    NoConsent,
    NotAsked,
    require_listed,
    titles_of,
)
from identity.assistance.schemas import AskToHelp
from identity.assistance.tables import AssistedSession
from identity.challenges.commands import Asking, answer, issue
from identity.messages.commands import tell
from identity.roles.independence import NotIndependent, offices_of
from identity.roles.tables import RoleAssignment
from identity.secrets import hash_of, new_secret
from identity.sessions.revocation import revoke_families
from identity.sessions.tables import TokenFamily
from webapi import Limit, count_reach

GIVE = "identity.assistance.give"
WITNESS = "identity.assistance.witness"
ASKED: Final = Limit("assisted_sessions", most=20, window=timedelta(hours=4))
"""Of one helper: each lasts half an hour, and those whom a round of visits leads to are asked one by one."""
PURPOSE = "assistance"
LANGUAGE = "zh"
"""Of messages to people who are helped: which language they read is not known."""
_AT_ONCE = 500


class SubjectUnknown(Exception):
    """The person's account is not in use."""


class SessionUnknown(Exception):
    """There is no such assisted session, or none that the caller has a part in."""


class NoPhone(Exception):
    """The person has no phone on file that a code could go to; a witness can stand in."""


class WitnessFromElsewhere(Exception):
    """A witness has an office that witnesses where the helper helps, or is a member there, and administers nothing."""


async def ask_to_help(
    session: AsyncSession,
    ring: KeyRing,
    *,
    assist_id: UUID,
    wanted: AskToHelp,
    by: audit.Actor,
    new_id: Callable[[], UUID],
    now: datetime,
) -> AssistedSession:
    """Ask a person for their consent to be helped, by a code to their phone or before a witness.

    Where the helper may help, the organisation and the person lie. Raises `ActionUnlisted`, `HelpForOneself`,
    `orgtree.OutsideRemit`, `SubjectUnknown`, `NoPhone` and `TooOften`.
    """
    listed, subject_id = require_listed(wanted.actions), wanted.subject_id
    await orgtree.require_within(session, wanted.organisation_id, by.remit)
    if subject_id == by.actor:
        raise HelpForOneself
    if (await require_account_within(session, subject_id, by.remit)).status != "active":
        raise SubjectUnknown
    challenge_id = None
    if wanted.evidence == "one_time_code":
        phone = known(await phone_of(session, ring, subject_id), NoPhone)
        challenge_id = await issue(
            session,
            ring,
            purpose=PURPOSE,
            phone=phone,
            account_id=subject_id,
            asking=Asking(LANGUAGE),
            now=now,
            new_id=new_id,
            text="assistance_code",
            words=await _words(session, wanted.organisation_id, listed),
        )
    asked = AssistedSession(
        assist_id=assist_id,
        subject_id=subject_id,
        helper_id=by.actor,
        organisation_id=wanted.organisation_id,
        actions=listed,
        evidence=wanted.evidence,
        challenge_id=challenge_id,
        asked_at=now,
    )
    session.add(asked)
    await session.flush()
    await count_reach(session, ASKED, by.actor, now=now)
    await _record(session, asked, by, "identity.assistance.asked", now)
    return asked


async def consent_by_code(
    session: AsyncSession, ring: KeyRing, *, assist_id: UUID, by: audit.Actor, code: str, now: datetime
) -> AssistedSession | None:
    """Take the code the person told the helper as their consent; None when it is wrong, which must be committed.

    Raises `SessionUnknown` and `NotAsked`.
    """
    asked = await _locked(session, assist_id, AssistedSession.helper_id == by.actor)
    if asked.challenge_id is None or not _waits(asked, now):
        raise NotAsked
    verdict = await answer(session, ring, challenge_id=asked.challenge_id, purpose=PURPOSE, code=code, now=now)
    if not verdict.accepted or verdict.account_id != asked.subject_id:
        attempt = _entry(asked, "identity.assistance.consented", purpose=asked.evidence, by=by)
        await audit.record(session, audit.refused(attempt, "code"), now=now)
        return None
    await _consented(session, ring, asked, by, now)
    return asked


async def consent_before_witness(
    session: AsyncSession, ring: KeyRing, *, assist_id: UUID, by: audit.Actor, now: datetime
) -> AssistedSession:
    """Take the word of a second person, who saw the first agree, as the consent.

    Raises `SessionUnknown`, `HelpForOneself`, `WitnessFromElsewhere`, `NotIndependent` and `NotAsked`.
    """
    asked = await _locked(session, assist_id)
    if by.actor in {asked.helper_id, asked.subject_id}:
        raise HelpForOneself
    await require_witness(session, asked, by.actor, now=now)
    if asked.evidence != "witness" or not _waits(asked, now):
        raise NotAsked
    asked.witness_id = by.actor
    await _consented(session, ring, asked, by, now)
    return asked


async def require_witness(session: AsyncSession, asked: AssistedSession, person_id: UUID, *, now: datetime) -> None:
    """Demand of a witness a standing of their own where the helper helps: an office that witnesses, or membership.

    Nobody administers and witnesses, or witnesses for a helper whom they made one. An office says nothing that comes of
    the helper, of the person, or of whoever made the helper one, by their word alone. Raises `WitnessFromElsewhere`
    and `NotIndependent`.
    """
    place, helper_id = asked.organisation_id, asked.helper_id
    offices = await offices_of(session, person_id, over=place, permission=WITNESS, at=now)
    own = await orgtree.affiliation_of(session, person_id)
    member = own is not None and place in await orgtree.ancestors_of(session, own)
    administers = (RoleAssignment.person_id == person_id, RoleAssignment.administration.is_not(None))
    if not (offices or member) or await session.scalar(select(RoleAssignment.role).where(*administers).limit(1)):
        raise WitnessFromElsewhere
    helping = await offices_of(session, helper_id, over=place, permission=GIVE, at=asked.asked_at)
    made = {helper_id, asked.subject_id}.union(*(office.makers for office in helping))
    delegated = any(office.holder in made for office in offices)
    if person_id in made or delegated or not (member or any(made.isdisjoint(office.behind) for office in offices)):
        raise NotIndependent


async def give_ticket(
    session: AsyncSession, *, assist_id: UUID, by: audit.Actor, now: datetime
) -> tuple[str, AssistedSession]:
    """Give the helper the ticket for which the token is exchanged, once; a ticket given before is worth nothing then.

    Raises `SessionUnknown` and `NoConsent`.
    """
    consented = await _locked(session, assist_id, AssistedSession.helper_id == by.actor)
    over = consented.ended_at is not None or consented.expires_at is None or consented.expires_at <= now
    if over or consented.exchanged_at is not None or consented.expires_at is None:
        raise NoConsent
    ticket = new_secret()
    consented.ticket_hash = hash_of(ticket)
    consented.ticket_expires_at = min(now + TICKET_LIFETIME, consented.expires_at)
    await session.flush()
    return ticket, consented


async def end_by_one_of_them(
    session: AsyncSession, ring: KeyRing, *, assist_id: UUID, by: audit.Actor, now: datetime
) -> AssistedSession:
    """End a session at the word of the person or the helper; again changes nothing. Raises `SessionUnknown`."""
    mine = (AssistedSession.helper_id == by.actor) | (AssistedSession.subject_id == by.actor)
    ending = await _locked(session, assist_id, mine)
    if ending.ended_at is None:
        await _end(session, ring, ending, now=now, ended_by=by.actor)
        await _record(session, ending, by, "identity.assistance.ended", now)
    return ending


async def end_all(session: AsyncSession, ring: KeyRing | None, *conditions: Any, now: datetime, reason: str) -> int:
    """End every session that meets these conditions; gives how many. Without a ring nobody is sent a message."""
    going_on = select(AssistedSession).where(*conditions, AssistedSession.ended_at.is_(None))
    found = (
        await session.scalars(going_on.order_by(AssistedSession.assist_id).limit(_AT_ONCE).with_for_update())
    ).all()
    for each in found:
        await _end(session, ring, each, now=now, ended_by=None)
        await audit.record(session, _entry(each, "identity.assistance.ended", purpose=reason), now=now)
    return len(found)


async def close_what_is_over(ring: KeyRing, database: Database) -> None:
    """Close sessions whose half hour is over, and requests nobody agreed to, and tell the people who were helped."""
    now = utc_now()
    over = AssistedSession.expires_at <= now
    unanswered = AssistedSession.consented_at.is_(None) & (AssistedSession.asked_at <= now - CONSENT_WITHIN)
    while True:
        async with database.transaction() as session:
            if not await end_all(session, ring, over | unanswered, now=now, reason="time_over"):
                return


def _waits(asked: AssistedSession, now: datetime) -> bool:
    return asked.consented_at is None and asked.ended_at is None and now < asked.asked_at + CONSENT_WITHIN


async def _locked(session: AsyncSession, assist_id: UUID, *conditions: ColumnElement[bool]) -> AssistedSession:
    found = select(AssistedSession).where(AssistedSession.assist_id == assist_id, *conditions)
    locked = found.with_for_update().execution_options(populate_existing=True)
    return known(await session.scalar(locked), SessionUnknown)


async def _consented(
    session: AsyncSession, ring: KeyRing, asked: AssistedSession, by: audit.Actor, now: datetime
) -> None:
    asked.consented_at, asked.expires_at = now, now + SESSION_LIFETIME
    await session.flush()
    await _record(session, asked, by, "identity.assistance.consented", now)
    minutes = str(SESSION_LIFETIME // timedelta(minutes=1))
    await _tell(session, ring, asked, "assistance_begun", now, minutes=minutes)


async def _end(
    session: AsyncSession, ring: KeyRing | None, ending: AssistedSession, *, now: datetime, ended_by: UUID | None
) -> None:
    over = ending.expires_at is not None and ending.expires_at <= now
    ending.ended_at, ending.ended_by = ending.expires_at if over else now, ended_by
    await session.flush()
    this = TokenFamily.family_id == ending.assist_id
    await revoke_families(session, this, reason="assistance_ended", now=now, actor=ended_by)
    if ring is not None and ending.consented_at is not None:
        await _tell(session, ring, ending, "assistance_ended", now)


async def _tell(
    session: AsyncSession, ring: KeyRing, told: AssistedSession, text: str, now: datetime, **more: str
) -> None:
    """Send the person who is helped a message, if they have a phone; the list of their sessions shows it anyway."""
    words = await _words(session, told.organisation_id, told.actions)
    await tell(session, ring, told.subject_id, text, language=LANGUAGE, now=now, on_file=None, **words, **more)


async def _words(session: AsyncSession, organisation_id: UUID, actions: list[str]) -> dict[str, str]:
    tree = orgtree.organisation.c
    name = await session.scalar(select(tree.name).where(tree.organisation_id == organisation_id))
    return {"organisation": name or "", "actions": titles_of(actions, LANGUAGE)}


def _entry(of: AssistedSession, action: str, *, purpose: str, by: audit.Actor | None = None) -> audit.Entry:
    office = () if by is None else ("actor", "actor_role", "actor_organisation_id")
    return audit.Entry(
        action=action,
        subject=of.subject_id,
        object_id=of.assist_id,
        assist_id=of.assist_id,
        organisation_id=of.organisation_id,
        purpose=purpose,
        **{name: getattr(by, name) for name in office},
    )


async def _record(session: AsyncSession, of: AssistedSession, by: audit.Actor, action: str, now: datetime) -> None:
    await audit.record(session, _entry(of, action, purpose=of.evidence, by=by), now=now)
