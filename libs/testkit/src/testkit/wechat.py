"""WeChat as its public documentation describes it, for tests that sign people in by it.

Websites: https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html; the same exchange
for official accounts: https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
"""

import json
import secrets
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from standalone.loopback import Answer, Asked, LoopbackServer

APP_ID = "wxtestkit0000000001"
KEY = "the key of an application at a fake WeChat"
_SCOPES = {"qrconnect": "snsapi_login", "oauth2/authorize": "snsapi_base"}


class Somebody(NamedTuple):
    """A person with WeChat; `unionid` is there once the application is bound to an account of the open platform."""

    openid: str
    unionid: str | None = None


class WechatServer(LoopbackServer):
    """The running server. `visitor` is who agrees on its page (None: nobody does); codes are good once.

    `failing` is an `errcode` it answers instead of a token, `hanging` makes it not answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.visitor: Somebody | None = None
        self.failing: int | None = None
        self.hanging = False
        self.exchanges = 0
        self._codes: dict[str, Somebody | None] = {}

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings by which identity offers this WeChat."""
        return {
            "wechat_app_id": APP_ID,
            "wechat_secret": KEY,
            "wechat_address": self.url,
            "wechat_api_address": self.url,
        }

    def respond(self, asked: Asked) -> Answer:
        """Show the page, or answer the exchange of a code."""
        path, query = urlsplit(asked.path).path, dict(parse_qsl(urlsplit(asked.path).query))
        return self._redeem(query) if path == "/sns/oauth2/access_token" else self._agree(path, query)

    def _agree(self, path: str, asked: Mapping[str, str]) -> Answer:
        """Show the page on which a person agrees, and send the browser back at once."""
        scope = _SCOPES[path.removeprefix("/connect/")]
        if asked.get("appid") != APP_ID or asked.get("response_type") != "code" or asked.get("scope") != scope:
            return _text("Scope 参数错误或没有 Scope 权限")
        brought = {"state": asked.get("state", "")}
        if self.visitor is not None:
            code = secrets.token_hex(16)
            self._codes[code] = self.visitor
            brought = {"code": code, **brought}
        return _text("", 302, {"Location": f"{asked['redirect_uri']}?{urlencode(brought)}"})

    def _redeem(self, asked: Mapping[str, str]) -> Answer:
        """Answer the exchange of a code: refusals come with status 200, and JSON with the media type of plain text."""
        with self.turn:
            self.exchanges += 1
        if self.hanging:
            time.sleep(3600)
        with self.turn:
            person = self._codes.get(asked.get("code", ""))
            if (refusal := self._refused(asked)) is not None or person is None:
                return refusal or _refusal(40163, "code been used")
            self._codes[asked["code"]] = None
        told = {
            "access_token": secrets.token_urlsafe(64),
            "expires_in": 7200,
            "refresh_token": secrets.token_urlsafe(64),
            "openid": person.openid,
            "scope": "snsapi_login",
        }
        return _text(json.dumps(told | ({"unionid": person.unionid} if person.unionid else {})))

    def _refused(self, asked: Mapping[str, str]) -> Answer | None:
        """Check an exchange; gives the refusal of what is wrong, None for a good one and for a code that was used."""
        for wrong, errcode, errmsg in (
            (self.failing is not None, self.failing or 0, "system error"),
            (asked.get("appid") != APP_ID, 40013, "invalid appid"),
            (asked.get("secret") != KEY, 40125, "invalid appsecret"),
            (asked.get("grant_type") != "authorization_code", 40002, "invalid grant_type"),
            (asked.get("code", "") not in self._codes, 40029, "invalid code"),
        ):
            if wrong:
                return _refusal(errcode, errmsg)
        return None


def _refusal(errcode: int, errmsg: str) -> Answer:
    return _text(json.dumps({"errcode": errcode, "errmsg": f"{errmsg}, rid: 6523f2d8-1d1f1d1e-0c3a1b2c"}))


def _text(content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(content.encode(), "text/plain; charset=utf-8", status, headers or {})
