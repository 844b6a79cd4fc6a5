"""The pages of a sign-in, and the ways in beside the password that its first page offers."""

from typing import Final, NamedTuple
from urllib.parse import urlencode

from identity.factors.addresses import PASSKEY, WECHAT_START
from identity.oauth.requests import Parameters

SIGN_IN: Final = "/sign-in"
BY_CODE: Final = "/sign-in/code"
CODE: Final = "/sign-in/code/answer"
RECOVERY: Final = "/sign-in/recovery"


class WayIn(NamedTuple):
    """A way in: the key of the text on its button, and the page it leads to."""

    text: str
    page: str


_ALWAYS: Final = (WayIn("by_code", BY_CODE), WayIn("by_passkey", PASSKEY))
_WECHAT: Final = WayIn("by_wechat", WECHAT_START)


def ways_in(*, wechat: bool) -> tuple[WayIn, ...]:
    """Give what the first page offers below the password, in its order; `wechat` says whether that is configured."""
    return (*_ALWAYS, _WECHAT) if wechat else _ALWAYS


def page_address(page: str, parameters: Parameters) -> str:
    """Give the address of a page of the sign-in that goes on with this request."""
    return f"{page}?{urlencode(parameters)}" if parameters else page
