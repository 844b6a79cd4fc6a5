"""Events of the gateway: how far its audit is."""

from contracts.audit import GatewayAuditCheckpointedV1 as GatewayAuditCheckpointedV1
