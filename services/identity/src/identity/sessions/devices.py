"""What kind of device somebody signed in on, in two coarse words that tell nobody who they are."""

import re
from typing import Final, NamedTuple

_LONGEST: Final = 1_000


class _Kind(NamedTuple):
    """A kind of browser or system: its word, its label in Chinese and English, and what a `User-Agent` shows of it."""

    word: str
    zh: str
    en: str
    sign: re.Pattern[str]


_NO_SIGN = re.compile("(?!)")
# In this order: each names itself beside those it descends from.
_BROWSERS: Final = (
    _Kind("wechat", "微信", "WeChat", re.compile(r"MicroMessenger/")),
    _Kind("dingtalk", "钉钉", "DingTalk", re.compile(r"DingTalk/|AliApp\(DingTalk")),
    _Kind("huawei", "华为浏览器", "Huawei Browser", re.compile(r"HuaweiBrowser/")),
    _Kind("uc", "UC 浏览器", "UC Browser", re.compile(r"UCBrowser/|UCWEB")),
    _Kind("qq", "QQ 浏览器", "QQ Browser", re.compile(r"MQQBrowser/|QQBrowser/")),
    _Kind("edge", "Edge 浏览器", "Edge", re.compile(r"Edge?/|EdgA/|EdgiOS/")),
    _Kind("firefox", "火狐浏览器", "Firefox", re.compile(r"Firefox/|FxiOS/")),
    _Kind("chrome", "Chrome 浏览器", "Chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    _Kind("safari", "Safari 浏览器", "Safari", re.compile(r"Version/[\d.]+ .*Safari/")),
)
_SYSTEMS: Final = (
    _Kind("harmony", "鸿蒙设备", "HarmonyOS", re.compile(r"HarmonyOS|OpenHarmony")),
    _Kind("android", "安卓设备", "Android", re.compile(r"Android")),
    _Kind("ios", "苹果手机或平板", "iOS", re.compile(r"iPhone|iPad|iPod")),
    _Kind("windows", "Windows 电脑", "Windows", re.compile(r"Windows NT")),
    _Kind("macos", "苹果电脑", "macOS", re.compile(r"Mac OS X|Macintosh")),
    _Kind("linux", "Linux 电脑", "Linux", re.compile(r"Linux|X11")),
)
_A_BROWSER: Final = _Kind("browser", "浏览器", "a browser", _NO_SIGN)
_A_SYSTEM: Final = _Kind("system", "未知设备", "an unknown system", _NO_SIGN)


def device_of(user_agent: str | None) -> str | None:
    """Give the words for a `User-Agent` header, e.g. "chrome android", or None when it tells neither of the two."""
    said = (user_agent or "")[:_LONGEST]
    browser = next((kind for kind in _BROWSERS if kind.sign.search(said)), _A_BROWSER)
    system = next((kind for kind in _SYSTEMS if kind.sign.search(said)), _A_SYSTEM)
    return None if (browser, system) == (_A_BROWSER, _A_SYSTEM) else f"{browser.word} {system.word}"


def device_label(words: str | None, language: str) -> str | None:
    """Give the label for such words in "zh" or "en", e.g. "Chrome on Android"."""
    if words is None:
        return None
    said, _, on = words.partition(" ")
    browser = next((kind for kind in _BROWSERS if kind.word == said), _A_BROWSER)
    system = next((kind for kind in _SYSTEMS if kind.word == on), _A_SYSTEM)
    return f"{browser.en} on {system.en}" if language == "en" else f"{system.zh}上的{browser.zh}"
