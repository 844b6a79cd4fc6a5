"""When the certificates end by which people reach the gateway, and the gateway the services."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography.x509 import load_der_x509_certificate

from background import Ends
from database import Database
from gateway.forwarding.addresses import Address, addresses_in

_SECONDS: Final = 10.0

log = logging.getLogger(__name__)


class Certificates:
    """The job that looks at them, as whoever connects is shown them; `urls` are by the name of whose they are."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        found = {name: addresses_in(name, told) for name, told in urls.items()}
        self._addresses = {
            name: [each for each in addresses if each.tls is not None] for name, addresses in found.items()
        }

    async def __call__(self, _: Database) -> Ends:
        """Give the ends; of several of one name the first. What shows none now is left out."""
        ends: dict[str, datetime] = {}
        for name, addresses in self._addresses.items():
            for address in addresses:
                try:
                    async with asyncio.timeout(_SECONDS):
                        end = await _end_of(address)
                except (OSError, ValueError) as error:  # of which time-outs and what TLS refuses are some
                    log.warning("certificate_unseen", extra={"upstream_id": name}, exc_info=error)
                    continue
                ends[f"certificate {name}"] = min(end, ends.get(f"certificate {name}", end))
        return Ends(ends)


async def _end_of(address: Address) -> datetime:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # to see one that is over as well
    _, writer = await asyncio.open_connection(
        address.host, address.port, ssl=context, server_hostname=address.name, ssl_shutdown_timeout=1.0
    )
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return load_der_x509_certificate(shown).not_valid_after_utc
    finally:
        writer.close()
