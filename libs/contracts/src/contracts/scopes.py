"""The scopes of the API: for each service one to read and one to write, known to the clients and to every service."""

from typing import Final

SERVICES: Final = ("identity", "members", "activities", "learning", "feedback", "gateway")
READING_SCOPES: Final = tuple(f"{service}.read" for service in SERVICES)
API_SCOPES: Final = tuple(f"{service}.{verb}" for service in SERVICES for verb in ("read", "write"))
