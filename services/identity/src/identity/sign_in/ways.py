"""The pages of a sign-in, and the ways in beside the password that its first page offers."""

from typing import Final

from identity.pages.addresses import BY_CODE, PASSKEY, WECHAT_START, WayIn

_ALWAYS: Final = (WayIn("by_code", BY_CODE), WayIn("by_passkey", PASSKEY))
_WECHAT: Final = WayIn("by_wechat", WECHAT_START)


def ways_in(*, wechat: bool) -> tuple[WayIn, ...]:
    """Give what the first page offers below the password, in its order; `wechat` says whether that is configured."""
    return (*_ALWAYS, _WECHAT) if wechat else _ALWAYS
