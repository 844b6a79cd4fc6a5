"""Where a service is: the addresses in its setting, and those that a host's name stands for."""

import asyncio
import ipaddress
import socket
import ssl
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from gateway.forwarding.failures import ServiceUnreachable

LOOKUP_SECONDS: Final = 2.0


class Address(NamedTuple):
    """One place to connect to; `name` is the host as the setting calls it, which a certificate must be for."""

    host: str
    port: int
    name: str
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_name(self) -> bool:
        """Whether the host is still a name that may stand for several; the machine's own stands for itself."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return self.host != "localhost"
        return False


def addresses_in(service: str, urls: str) -> list[Address]:
    """Read http://host:port or https://host:port, several by commas; raises `ValueError` for one with a path or query.

    What is said twice is one address.
    """
    tls: ssl.SSLContext | None = None
    found = []
    for url in urls.split(","):
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError(f"{service}: not the address of a service: {url!r}")
        if parts.scheme == "https":
            tls = tls or ssl.create_default_context()
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found.append(Address(parts.hostname, port, parts.hostname, tls if parts.scheme == "https" else None))
    return list(dict.fromkeys(found))


async def looked_up(address: Address) -> list[Address]:
    """Give the addresses that a host's name stands for now; raises ServiceUnreachable when nobody can tell."""
    if not address.is_name:
        return [address]
    try:
        async with asyncio.timeout(LOOKUP_SECONDS):
            told = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        raise ServiceUnreachable(type(error).__name__) from error
    family = min(entry[0] for entry in told)  # one instance has an address of each family
    hosts = {str(entry[4][0]) for entry in told if entry[0] == family}
    return [address._replace(host=host) for host in sorted(hosts)]
