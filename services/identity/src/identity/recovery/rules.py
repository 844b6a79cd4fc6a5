"""How long the steps of a recovery take and last, and how many officers have to agree."""

from datetime import timedelta
from typing import Final

APPROVE: Final = "identity.recovery.approve"
APPROVALS_NEEDED: Final = 2
DELAY: Final = timedelta(hours=24)
"""Between the second approval and the new password: time for the owner to see the notice and to object."""
REQUEST_LIFETIME: Final = timedelta(days=7)
PROOF_LIFETIME: Final = timedelta(minutes=10)
"""How long after the code a new password may be chosen."""
KEPT_FOR: Final = timedelta(days=180)
"""How long it stays on record after its end."""


class OwnRecovery(Exception):
    """Nobody approves the recovery of their own account."""


class AlreadyApproved(Exception):
    """This officer has agreed already; it takes another one."""


class RecoveryOver(Exception):
    """The recovery is approved, completed, objected to or lapsed."""


class RecoveryUnknown(Exception):
    """There is no such recovery, or not within the officer's remit."""
