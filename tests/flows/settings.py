"""Settings of any service, with what it needs beside the common ones."""

import importlib
from typing import Any

from database import KeyRing
from standalone.services import NAMES
from testkit.tokens import TokenIssuer
from webapi import ServiceSettings


def settings_of(service: str, database_url: str, nats_url: str, issuer: TokenIssuer, **more: Any) -> ServiceSettings:
    """Make the settings of a process of this service."""
    settings: Any = importlib.import_module(f"{service}.app").SERVICE.settings
    made: ServiceSettings = settings(
        database_url=database_url,
        nats_url=nats_url,
        issuer="http://127.0.0.1:8080",
        jwks_url=issuer.jwks_url,
        operations_port=0,
        sealing_key=KeyRing.generate(),
        phone_key=KeyRing.generate(),
        **{f"upstream_{name}": "http://127.0.0.1:9" for name in NAMES},
        **more,
    )
    return made
