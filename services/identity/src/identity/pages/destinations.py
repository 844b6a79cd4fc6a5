"""Which page of ours a person goes on to after the sign-in, when they did not come from a client."""

from collections.abc import Mapping
from typing import Final, Literal

from identity.pages.addresses import SIGN_IN, page_address
from identity.pages.requests import Parameters

_PAGES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "device": ("/oauth2/device", ("user_code", "ui_locales")),
    "security": ("/sign-in/security", ("ui_locales",)),
    "sessions": ("/sign-in/sessions", ("cursor", "ui_locales")),
}
"""Each page by its name in `next`, with the parameters it takes along; no address of a request's own is followed."""


def sign_in_before(page: Literal["device", "security", "sessions"], parameters: Parameters) -> str:
    """Give the address of the sign-in page that leads on to `page` with its parameters."""
    return page_address(SIGN_IN, {"next": page, **_kept(page, parameters)})


def onward(parameters: Parameters) -> str | None:
    """Give the address to go on to after a sign-in, None when no page of ours is named."""
    name = parameters.get("next", "")
    if name not in _PAGES:
        return None
    return page_address(_PAGES[name][0], _kept(name, parameters))


def _kept(name: str, parameters: Parameters) -> Parameters:
    return {each: parameters[each] for each in _PAGES[name][1] if each in parameters}
