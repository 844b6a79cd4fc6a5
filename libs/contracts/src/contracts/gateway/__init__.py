"""Events of the gateway: how far its audit is."""

from contracts.audit import GatewayAuditCheckpointedV1

__all__ = ["GatewayAuditCheckpointedV1"]
