"""Events of the gateway: how far its audit is."""

from typing import ClassVar

from contracts.audit import AuditChainState


class GatewayAuditCheckpointedV1(AuditChainState):
    """The audit of the gateway has come so far on a day; another service witnesses it."""

    type: ClassVar[str] = "xiangqiao.gateway.audit_chain.checkpointed.v1"
