"""Events of a list of accounts to open for members: given by one person, decided about by another."""

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from contracts.envelope import Code, Event


class AccountListState(Event):
    """A list for members of one organisation and those below it, of `size` accounts; who is on it stays in identity.

    Until `expires_at` a second person may decide about one that is `proposed`.
    """

    aggregate: ClassVar[str] = "account_list"
    identified_by: ClassVar[str] = "list_id"

    list_id: UUID
    organisation_id: UUID
    status: Code
    size: int
    given_by: UUID
    given_at: AwareDatetime
    expires_at: AwareDatetime


class AccountListGivenV1(AccountListState):
    """A list waits for a second person."""

    type: ClassVar[str] = "xiangqiao.identity.account_list.given.v1"


class AccountListDecidedV1(AccountListState):
    """A list was approved, refused or withdrawn, and waits for nobody any more."""

    type: ClassVar[str] = "xiangqiao.identity.account_list.decided.v1"


class AccountListWithdrawnV1(Event):
    """A restore lost this list: it waits for nobody, and is given again where it is wanted."""

    type: ClassVar[str] = "xiangqiao.identity.account_list.withdrawn.v1"
    aggregate: ClassVar[str] = "account_list"
    identified_by: ClassVar[str] = "list_id"

    list_id: UUID
