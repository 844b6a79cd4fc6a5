"""Where a request comes from: the address that counts as one client, and the network around it."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request

from database import KeyRing
from identity.throttling.rates import subject_of
from identity.throttling.rules import Limit
from webapi.networks import TIMES_AROUND, around_of, network_of

Network = IPv4Network | IPv6Network
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
    return network_of(str(peer))


def places_of(address: str) -> list[tuple[str, int]]:
    """Give what counts for an address of `client_address_of`, each with how many times as much as one may do."""
    around = around_of(address)
    return [(address, 1)] if around is None else [(address, 1), (around, TIMES_AROUND)]


def counted_at(ring: KeyRing, kind: str, address: str, limit: Limit) -> list[tuple[bytes, Limit]]:
    """Give the subjects under which something is counted for an address, with their limits."""
    places = places_of(address)
    return [
        (subject_of(ring, f"{kind}.address", place), limit._replace(most=limit.most * times)) for place, times in places
    ]


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
