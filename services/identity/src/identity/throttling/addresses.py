"""Where a request comes from: the address that counts as one client."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

Network = IPv4Network | IPv6Network
IPV6_PREFIX = 64
"""A household gets at least that much, and every device in it changes its address inside it."""
UNKNOWN = "unknown"


def parse_networks(setting: str) -> tuple[Network, ...]:
    """Read networks separated by commas, e.g. `127.0.0.0/8,::1/128`; raises `ValueError`."""
    return tuple(ip_network(part.strip()) for part in setting.split(",") if part.strip())


def client_address_of(request: Request, proxies: Collection[Network]) -> str:
    """Give the client's IPv4 address, or the /64 network of its IPv6 address, as text.

    Only a peer in `proxies` is believed about whom it speaks for. The gateway drops what clients say in
    `X-Forwarded-For` and writes the one address it sees itself, so the last one there is its own word.
    """
    peer = _parsed(request.client.host if request.client else "")
    if peer is not None and any(peer in network for network in proxies):
        forwarded = request.headers.getlist("x-forwarded-for")
        if forwarded:
            peer = _parsed(forwarded[-1].rpartition(",")[2])
    if peer is None:
        return UNKNOWN
    return str(peer) if isinstance(peer, IPv4Address) else str(ip_network((peer, IPV6_PREFIX), strict=False))


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
