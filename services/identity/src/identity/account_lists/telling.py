"""What is told of lists of accounts anew; who is on one stays here, so one that a restore lost is withdrawn."""

from sqlalchemy import select

from contracts.identity import AccountListDecidedV1, AccountListGivenV1, AccountListState, AccountListWithdrawnV1
from identity.account_lists.tables import AccountList
from messaging import Telling, Told


def _tell(given: AccountList) -> Telling:
    waits = given.status == "proposed"
    event = AccountListGivenV1 if waits else AccountListDecidedV1
    state = event.model_validate(given, from_attributes=True)
    return Telling(state, 1 if waits else 2, given.decided_at or given.given_at)


TOLD = Told(AccountListState, select(AccountList), AccountList.list_id, _tell, withdrawn=AccountListWithdrawnV1)
