"""What routes about lists of accounts take and give."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from identity.account_lists.rules import MOST_ROWS
from identity.credentials.rules import UsernameUnusable, require_username
from webapi import rule_broken
from webapi.bodies import Body, Shown

Status = Literal["proposed", "approved", "refused", "withdrawn", "expired"]
Outcome = Literal["opened", "account_exists", "username_taken", "outside_scope"]


def _usable(typed: str) -> str:
    try:
        return require_username(typed)
    except UsernameUnusable as error:
        raise rule_broken(
            "username_unusable",
            en="A user name has 3 to 64 letters, digits, dots, hyphens or underscores, and is no number of a person.",
            zh="用户名须为 3 至 64 个汉字、字母、数字、点、连字符或下划线，且不能是手机号或身份证号。",
        ) from error


class AccountToOpen(Body):
    """An account to open for a member, who chooses the password."""

    person_id: UUID
    organisation_id: Annotated[UUID, Field(description="The organisation that opens the account.")]
    username: Annotated[str, Field(min_length=3, max_length=64), AfterValidator(_usable)]


class GiveAccountList(Body):
    """Accounts to open for members of one organisation and those below it."""

    organisation_id: UUID
    rows: Annotated[list[AccountToOpen], Field(min_length=1, max_length=MOST_ROWS)]

    @model_validator(mode="after")
    def _each_once(self) -> "GiveAccountList":
        people, names = {row.person_id for row in self.rows}, {row.username for row in self.rows}
        if len(people) < len(self.rows) or len(names) < len(self.rows):
            raise rule_broken(
                "named_twice",
                en="Name each person and each user name once.",
                zh="每个人、每个用户名在名单中只能出现一次。",
            )
        return self


class AccountListOut(Shown):
    """A list, who gave it and decided about it, and how many of its accounts are opened or could not be."""

    list_id: UUID
    organisation_id: UUID
    status: Status
    given_by: UUID
    given_at: datetime
    expires_at: Annotated[datetime, Field(description="Until when a second person may approve it.")]
    decided_by: UUID | None
    decided_at: datetime | None
    size: Annotated[int, Field(description="Accounts on the list.")]
    opened: int
    not_opened: int


class AccountListRowOut(Shown):
    """A row of a list; its `outcome` says that the account was opened, or why it could not be."""

    number: Annotated[int, Field(description="Its place on the list, from 1.")]
    person_id: UUID
    organisation_id: UUID
    username: str
    outcome: Outcome | None
    done_at: datetime | None
