"""What is one place on the Internet, and what lies around it: the widths by which everybody counts addresses."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

TIMES_AROUND: Final = 10
"""How many addresses the network around an IPv6 one counts as: whoever has it whole would have 65,536, and the phones
of a town may be in it, each with a network of its own."""
_SUBSCRIBER: Final = 64
"""What one subscriber has of IPv6 at least; every device there changes its address inside it."""
_AROUND: Final = 48
"""What a site gets of IPv6, or whoever rents a server."""


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """Give what is one place: an IPv4 address, or the network of an IPv6 one's subscriber; anything else as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, _SUBSCRIBER), strict=False))
    return address


@lru_cache(maxsize=10_000)
def around_of(address: str) -> str | None:
    """Give the network around the place in which an IPv6 address, or what `network_of` gave, lies; None for IPv4."""
    place = network_of(address)
    return str(ip_network(place).supernet(new_prefix=_AROUND)) if place.endswith(f"/{_SUBSCRIBER}") else None
