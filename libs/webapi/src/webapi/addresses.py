"""Addresses on the web that people are sent to: of public places, and none that looks like another."""

import re
import unicodedata
from ipaddress import IPv4Address
from typing import Final
from urllib.parse import unquote, urlsplit

from webapi.validation import rule_broken

_PORTS: Final = {None, 443, 8443}
_NOT_PUBLIC: Final = frozenset(
    (
        *("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "svc"),
        *("arpa", "onion", "alt", "invalid"),
    )
)
"""Last labels of names that no public server tells: RFC 6761 and its like, and what networks of one's own use."""
_NAME: Final = re.compile(r"[a-z0-9.-]+")
"""A name as it is asked for: browsers read %31 as 1, a backslash as the end, and wide letters as common ones."""


def require_public(address: str) -> str:
    """Give an https address back; raises the error of a field for one that is of no public place or can mislead.

    Whoever follows it, or fetches it one day, must not be led into a network of their own: no address of a machine or a
    private network, no name without a dot, no odd port. No character turns the direction of the text or is not seen,
    written out or not.
    """
    try:
        parts = urlsplit(address)
        public = "@" not in parts.netloc and parts.port in _PORTS and _is_public(parts.hostname or "")
    except ValueError:
        public = False
    unseen = any(_is_unseen(character) for character in unquote(address))
    if not public or unseen or not address.startswith("https://"):
        raise rule_broken(
            "address_not_public",
            en="An address is https, of a public server by its name, on its usual port, in characters that are seen.",
            zh="网址须为 https,使用公网服务器的域名和常用端口,且不含不可见字符。",
        )
    return address


def _is_public(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    if labels[-1][:1].isdigit():  # browsers take every such name for an address, as 127.1 and 0x7f.1
        place = IPv4Address(host)
        return place.is_global and not place.is_multicast
    return len(labels) > 1 and all(labels) and labels[-1] not in _NOT_PUBLIC and _NAME.fullmatch(host) is not None


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
