"""What identity puts on homes: lists of accounts that wait for a second person; pure."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from contracts import identity
from gateway.home.items import Action, Done, Facts, Gone, Item, Kind, item
from gateway.words import Words


class AccountListFacts(BaseModel):
    """What is known of a list of accounts: how many it has."""

    size: int


def _titled(facts: Facts) -> Words:
    return Words(f"审批开户名单（{facts['size']}人）", f"Approve a list of {facts['size']} accounts")


APPROVE = Kind(
    "account_list.approve",
    "account_list",
    "todo",
    "审批开户名单",
    "Approve a list of accounts",
    "identity.account.approve",
    "when done",
    AccountListFacts,
    title=_titled,
    actions=(
        Action("identity_approve_list", "POST", "/v1/account-lists/{subject_id}/approval"),
        Action("identity_refuse_list", "POST", "/v1/account-lists/{subject_id}/refusal"),
    ),
)
KINDS = (APPROVE,)


def of_account_list(event: identity.AccountListState, version: int, _: datetime) -> Iterator[Item | Done]:
    """A list is for whoever may approve it where it holds, but its giver, who has done their part."""
    yield item(
        APPROVE,
        version,
        whom=event.organisation_id,
        subject_id=event.list_id,
        since=event.given_at,
        due_at=event.expires_at,
        expires_at=event.expires_at,
        is_open=event.status == "proposed",
        parts=(event.list_id,),
        facts={"size": event.size},
    )
    yield Done(event.given_by, APPROVE.name, event.list_id, event.list_id, version, done=True)


def of_withdrawn_list(event: identity.AccountListWithdrawnV1, version: int, time: datetime) -> Iterator[Gone]:
    """There is nothing to approve."""
    yield Gone(f"{APPROVE.name}:{event.list_id}", version, time)


SHOWN = {identity.AccountListState: of_account_list, identity.AccountListWithdrawnV1: of_withdrawn_list}
