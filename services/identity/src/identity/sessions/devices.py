"""What kind of device somebody signed in on, in two coarse words that tell nobody who they are."""

import re
from typing import Final

_LONGEST: Final = 1_000
# In this order: each names itself beside those it descends from.
_BROWSERS: Final = (
    ("wechat", re.compile(r"MicroMessenger/")),
    ("dingtalk", re.compile(r"DingTalk/|AliApp\(DingTalk")),
    ("huawei", re.compile(r"HuaweiBrowser/")),
    ("uc", re.compile(r"UCBrowser/|UCWEB")),
    ("qq", re.compile(r"MQQBrowser/|QQBrowser/")),
    ("edge", re.compile(r"Edge?/|EdgA/|EdgiOS/")),
    ("firefox", re.compile(r"Firefox/|FxiOS/")),
    ("chrome", re.compile(r"Chrome/|CriOS/|Chromium/")),
    ("safari", re.compile(r"Version/[\d.]+ .*Safari/")),
)
_SYSTEMS: Final = (
    ("harmony", re.compile(r"HarmonyOS|OpenHarmony")),
    ("android", re.compile(r"Android")),
    ("ios", re.compile(r"iPhone|iPad|iPod")),
    ("windows", re.compile(r"Windows NT")),
    ("macos", re.compile(r"Mac OS X|Macintosh")),
    ("linux", re.compile(r"Linux|X11")),
)
_NAMES: Final = {
    "wechat": ("微信", "WeChat"),
    "dingtalk": ("钉钉", "DingTalk"),
    "huawei": ("华为浏览器", "Huawei Browser"),
    "uc": ("UC 浏览器", "UC Browser"),
    "qq": ("QQ 浏览器", "QQ Browser"),
    "edge": ("Edge 浏览器", "Edge"),
    "firefox": ("火狐浏览器", "Firefox"),
    "chrome": ("Chrome 浏览器", "Chrome"),
    "safari": ("Safari 浏览器", "Safari"),
    "browser": ("浏览器", "a browser"),
    "harmony": ("鸿蒙设备", "HarmonyOS"),
    "android": ("安卓设备", "Android"),
    "ios": ("苹果手机或平板", "iOS"),
    "windows": ("Windows 电脑", "Windows"),
    "macos": ("苹果电脑", "macOS"),
    "linux": ("Linux 电脑", "Linux"),
    "system": ("未知设备", "an unknown system"),
}


def device_of(user_agent: str | None) -> str | None:
    """Give the words for a `User-Agent` header, e.g. "chrome android", or None when it tells neither of the two."""
    if not user_agent:
        return None
    said = user_agent[:_LONGEST]
    browser = next((word for word, sign in _BROWSERS if sign.search(said)), None)
    system = next((word for word, sign in _SYSTEMS if sign.search(said)), None)
    return f"{browser or 'browser'} {system or 'system'}" if browser or system else None


def device_label(words: str | None, language: str) -> str | None:
    """Give the label for such words in "zh" or "en", e.g. "Chrome on Android"."""
    if words is None:
        return None
    browser, _, system = words.partition(" ")
    zh, en = (_NAMES.get(browser, _NAMES["browser"]), _NAMES.get(system, _NAMES["system"]))
    return f"{zh[1]} on {en[1]}" if language == "en" else f"{en[0]}上的{zh[0]}"
