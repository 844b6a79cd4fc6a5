"""What tokens are for (RFC 8707): the resources there are, and the audience each stands for.

`<issuer>/v1` is the API of all services, which is also what a token is for when no resource is named; `<issuer>` is
the provider itself, so a token for it alone opens `/oauth2/userinfo` and nothing else.
"""

from collections.abc import Collection, Sequence

from authlib.oauth2.rfc6749 import OAuth2Error

from identity.shared import TokenParties


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # authlib has no types
    """The resource is unknown, or not one that was granted (RFC 8707, section 2)."""

    error = "invalid_target"
    description = "The resource is unknown or was not granted."


def requested_resources(parameter: str | None, parties: TokenParties) -> list[str]:
    """Read the `resource` parameters, which the request reader gives separated by spaces: no URI has one.

    Raises `InvalidTargetError` for one that is unknown.
    """
    wanted = list(dict.fromkeys((parameter or "").split()))
    if not set(wanted) <= {f"{parties.issuer}/v1", parties.issuer}:
        raise InvalidTargetError
    return wanted


def narrowed_resources(parameter: str | None, granted: Sequence[str], parties: TokenParties) -> list[str]:
    """Give what a token shall be for: what is requested of what was granted, or all of it.

    Raises `InvalidTargetError` for what was not granted.
    """
    wanted = requested_resources(parameter, parties)
    if not set(wanted) <= set(granted or (f"{parties.issuer}/v1",)):
        raise InvalidTargetError
    return wanted or list(granted)


def audience_of(resources: Collection[str], parties: TokenParties) -> str | list[str]:
    """Give the `aud` of a token for these resources: every service asks for the one audience they all share."""
    if not resources:
        return parties.audience
    audience = [parties.audience] if f"{parties.issuer}/v1" in resources else []
    return [*audience, *resources] if len(audience) + len(resources) > 1 else next(iter(resources))
