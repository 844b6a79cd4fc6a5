"""What a client may be, decided by rule alone: addresses, ways to prove itself, what goes with what."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from contracts.scopes import API_SCOPES

TERMINAL = "terminal"
"""The application type of a machine that many people use in turn: it forgets each of them soon."""
SCOPES_OF_PEOPLE = ("openid", "profile")
SCOPES_OF_SERVICES = ("introspect",)
"""For clients that act by themselves alone: `introspect` lets a service ask about tokens that others hold."""
SCOPES = (*SCOPES_OF_PEOPLE, *API_SCOPES, *SCOPES_OF_SERVICES)
"""What a client may ask for; those of the API are for clients that act for people and for those that do not."""
_LOOPBACK_ADDRESS = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?(/.*)")
_HIGHEST_PORT = 65535


BY_PEOPLE = frozenset({"authorization_code", "refresh_token"})
BY_DEVICE = frozenset({"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"})
SETS_OF_GRANTS: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    "service": (frozenset({"client_credentials"}),),
    "terminal": (BY_DEVICE,),
    "native": (BY_PEOPLE, BY_PEOPLE - {"refresh_token"}, BY_DEVICE, BY_DEVICE | BY_PEOPLE),
    "web": (BY_PEOPLE, BY_PEOPLE - {"refresh_token"}),
}
"""Which grants go together, by the type of client: one of these sets, whole."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_ODD = re.compile(r"[^\x21-\x7e]|[\\*\"<>^`{|}]")
_RSA_BITS = range(2048, 4097)
_SHORTEST_MODULUS = 342
"""2048 bits in base64url."""


class ClientUnusable(Exception):
    """What was proposed cannot be a client; `field` says where, `en` and `zh` say why."""

    def __init__(self, field: str, en: str, zh: str) -> None:
        super().__init__(field)
        self.field = field
        self.en = en
        self.zh = zh


class GrantsUnusable(ClientUnusable):
    """No client of this type has just these grants; `allowed` are the sets there are."""

    def __init__(self, allowed: Collection[Collection[str]]) -> None:
        super().__init__(
            "grant_types",
            "This type of client has one of the sets in `allowed`, whole.",
            "此类客户端的授权方式须为 allowed 所列组合之一，不多不少。",
        )
        self.allowed = [sorted(each) for each in allowed]


def require_usable(
    *,
    application_type: str,
    redirect_uris: Sequence[str],
    post_logout_redirect_uris: Sequence[str],
    grant_types: Sequence[str],
    scopes: Sequence[str],
    token_endpoint_auth_method: str,
    jwks: dict[str, Any] | None,
) -> None:
    """Raise `ClientUnusable` unless these go together."""
    for address in redirect_uris:
        require_address(address, "redirect_uris", native=application_type == "native")
    for address in post_logout_redirect_uris:
        require_address(address, "post_logout_redirect_uris", native=application_type == "native")
    _require_grants(application_type, frozenset(grant_types), redirect_uris)
    _require_method(application_type, token_endpoint_auth_method, jwks)
    if application_type != "service" and not scopes:
        raise ClientUnusable(
            "scopes",
            "Without a scope, people who sign in give it nothing.",
            "没有权限范围，用户登录后也无法使用任何功能。",
        )
    if application_type == "service" and set(scopes) & set(SCOPES_OF_PEOPLE):
        raise ClientUnusable("scopes", "A service has no person to tell of.", "服务没有用户信息可提供。")
    if application_type != "service" and set(scopes) & set(SCOPES_OF_SERVICES):
        raise ClientUnusable("scopes", "Only a service may have this scope.", "只有服务类客户端才能有此权限范围。")


def require_address(address: str, field: str, *, native: bool) -> None:
    """Raise `ClientUnusable` unless browsers may be sent to this address: https, or http to a native one's own machine.

    No wildcard, fragment, user information, dot segment or character that two readers could take differently.
    """
    try:
        parts = urlsplit(address)
        port_readable = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_readable = SplitResult("", "", "", "", ""), False
    segments = parts.path.split("/")
    sound = (
        port_readable
        and _ODD.search(address) is None
        and bool(parts.hostname)
        and "#" not in address
        and "@" not in parts.netloc
        and parts.netloc == parts.netloc.lower()
        and not {".", ".."} & set(segments)
        and not re.search(r"%(?:2[ef]|5c|0.|1.|7f|(?![0-9a-fA-F]{2}))", parts.path, re.IGNORECASE)
    )
    secure = address.startswith("https://") or (
        native and address.startswith("http://") and parts.hostname in _LOOPBACK and parts.path.startswith("/")
    )
    if not sound or not secure:
        raise ClientUnusable(
            field,
            "An address is https and exact; a native application may have http on 127.0.0.1 or [::1].",
            "地址须为 https 且完整准确；本机应用可使用 127.0.0.1 或 [::1] 上的 http。",
        )


def is_own_machine(address: str) -> bool:
    """Say whether this is plain http on the machine of whoever follows it, as native applications may have it."""
    return _LOOPBACK_ADDRESS.fullmatch(address) is not None


def _require_grants(application_type: str, grants: frozenset[str], redirect_uris: Sequence[str]) -> None:
    allowed = SETS_OF_GRANTS[application_type]
    if grants not in allowed:
        raise GrantsUnusable(allowed)
    if ("authorization_code" in grants) != bool(redirect_uris):
        raise ClientUnusable(
            "redirect_uris",
            "Exactly those who send people to sign in have redirect URIs.",
            "只有引导用户登录的客户端才需要且必须有回调地址。",
        )


def _require_method(application_type: str, method: str, jwks: dict[str, Any] | None) -> None:
    if (application_type == "service" and method == "none") or (
        application_type in {"native", "terminal"} and method != "none"
    ):
        raise ClientUnusable(
            "token_endpoint_auth_method",
            "A service proves itself; a program on people's devices cannot keep a secret.",
            "服务必须证明身份；用户设备上的程序无法保守密钥。",
        )
    if (jwks is not None) != (method == "private_key_jwt"):
        raise ClientUnusable("jwks", "Keys go with private_key_jwt.", "公钥须与 private_key_jwt 一起使用。")
    if jwks is not None and not _usable_keys(jwks):
        raise ClientUnusable(
            "jwks",
            "Public keys are P-256 or RSA of 2048 to 4096 bits, each with a kid of its own.",
            "公钥须为 P-256 或 2048 至 4096 位 RSA，且各有不同的 kid。",
        )


def _usable_keys(jwks: dict[str, Any]) -> bool:
    names = [key["kid"] for key in jwks["keys"]]
    if any(key["kty"] == "RSA" and len(key.get("n", "")) < _SHORTEST_MODULUS for key in jwks["keys"]):
        return False  # before it is imported: joserfc warns of such a key and takes it
    try:
        keys = KeySet.import_key_set({"keys": jwks["keys"]}).keys
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return len(set(names)) == len(names) and all(map(_usable_key, keys))


def _usable_key(key: object) -> bool:
    if isinstance(key, ECKey):
        return key.curve_name == "P-256" and key.get("alg") in {None, "ES256"}
    if isinstance(key, RSAKey):
        return key.public_key.key_size in _RSA_BITS and key.get("alg") in {None, "RS256", "PS256"}
    return False


def redirect_uri_allowed(requested: str, registered: Collection[str], *, native: bool) -> bool:
    """Say whether an answer may be sent to `requested`: equal, character by character, to a registered address.

    The one exception is a native application on the loopback address: the port it was given by its system is free
    (RFC 8252, section 7.3), when the registered address names none.
    """
    if requested in registered:
        return True
    match = _LOOPBACK_ADDRESS.fullmatch(requested) if native else None
    if match is None or match[2] is None or int(match[2]) > _HIGHEST_PORT:
        return False
    return match[1] + match[3] in registered


def origins_of(addresses: Collection[str]) -> tuple[str, ...]:
    """Give the origins of registered addresses as browsers write them: the usual port is not named (RFC 6454, 6.2)."""
    found = set()
    for parts in map(urlsplit, addresses):
        usual = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
        found.add(f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower().removesuffix(usual)}")
    return tuple(sorted(found))


def allowed_scope(requested: str | None, registered: Sequence[str]) -> str | None:
    """Give those of the requested scopes that are registered, all of them when none is named, None when none is left.

    Scopes nobody knows are ignored, as OpenID Connect Core 3.1.2.1 says.
    """
    if not requested:
        return " ".join(registered)
    wanted = requested.split()
    kept = [scope for scope in registered if scope in wanted]
    return " ".join(kept) or None


def still_registered(granted: str, registered: Collection[str]) -> str:
    """Give those of the granted scopes, separated by spaces, that the client is still registered for."""
    return " ".join(scope for scope in granted.split() if scope in registered)
