"""What every service that keeps an audit tells of it: how long a day's chain is, and hashes, for another to witness."""

from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from pydantic import Field

from contracts.envelope import Event

_CHAINS = UUID("0b6a3f0e-5d0c-5b1e-9a65-7d0a4d1f2c33")  # name space of the days' chains

Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 hash in hexadecimal."""


class AuditChainState(Event):
    """How long the audit of one day is, its last hash, and the root of the Merkle tree over it (RFC 6962)."""

    aggregate: ClassVar[str] = "audit_chain"

    day: date
    count: Annotated[int, Field(ge=0, lt=2**63)]
    head: Hash
    root: Hash

    @property
    def aggregate_id(self) -> UUID:
        """The id of the day's chain, which follows from service and day."""
        return uuid5(_CHAINS, f"{self.publisher()}/{self.day.isoformat()}")


class ActivitiesAuditCheckpointedV1(AuditChainState):
    """The audit of activities has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.activities.audit_chain.checkpointed.v1"


class FeedbackAuditCheckpointedV1(AuditChainState):
    """The audit of feedback has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.feedback.audit_chain.checkpointed.v1"


class GatewayAuditCheckpointedV1(AuditChainState):
    """The audit of the gateway has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.gateway.audit_chain.checkpointed.v1"


class IdentityAuditCheckpointedV1(AuditChainState):
    """The audit of identity has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.identity.audit_chain.checkpointed.v1"


class LearningAuditCheckpointedV1(AuditChainState):
    """The audit of learning has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.learning.audit_chain.checkpointed.v1"


class MembersAuditCheckpointedV1(AuditChainState):
    """The audit of members has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.members.audit_chain.checkpointed.v1"
