"""The ways in beside the password: a further one is a page of `sign_in` and a line here."""

from typing import Final

from identity.pages.addresses import BY_CODE, PASSKEY, WECHAT_START
from identity.shared import WayIn

_ALWAYS: Final = (WayIn("by_code", BY_CODE), WayIn("by_passkey", PASSKEY))
_WECHAT: Final = WayIn("by_wechat", WECHAT_START)


def ways_in(*, wechat: bool) -> tuple[WayIn, ...]:
    """Give what the first page offers below the password, in its order; `wechat` says whether that is configured."""
    return (*_ALWAYS, _WECHAT) if wechat else _ALWAYS
