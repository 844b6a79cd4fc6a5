"""The whole system on one machine: embedded PostgreSQL and NATS, every service, and the command that operates it."""
