"""What changed for whom: the log, read by who was away (`/v1/sync/changes`) and by who listens (`/v1/events`)."""
