"""WeChat as its public documentation describes it, for tests that sign people in by it.

Websites: https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html; the same exchange
for official accounts: https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from testkit.listening import listener

APP_ID = "wxtestkit0000000001"
KEY = "the key of an application at a fake WeChat"
_SCOPES = {"qrconnect": "snsapi_login", "oauth2/authorize": "snsapi_base"}


class Somebody(NamedTuple):
    """A person with WeChat; `unionid` is there once the application is bound to an account of the open platform."""

    openid: str
    unionid: str | None = None


class WechatServer:
    """The running server. `visitor` is who agrees on its page (None: nobody does); codes are good once.

    `failing` is an `errcode` it answers instead of a token, `hanging` makes it not answer.
    """

    def __init__(self, url: str) -> None:
        self.url = url
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

    async def agree(self, request: Request) -> Response:
        """Show the page on which a person agrees, and send the browser back at once."""
        asked = request.query_params
        page = request.url.path.removeprefix("/connect/")
        if asked.get("appid") != APP_ID or asked.get("response_type") != "code" or asked.get("scope") != _SCOPES[page]:
            return PlainTextResponse("Scope 参数错误或没有 Scope 权限")
        brought = {"state": asked.get("state", "")}
        if self.visitor is not None:
            code = secrets.token_hex(16)
            self._codes[code] = self.visitor
            brought = {"code": code, **brought}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(brought)}", 302)

    async def redeem(self, request: Request) -> Response:
        """Answer the exchange of a code: refusals come with status 200."""
        self.exchanges += 1
        if self.hanging:
            await asyncio.sleep(3600)
        asked = request.query_params
        person = self._codes.get(asked.get("code", ""))
        if (refusal := self._refused(asked)) is not None or person is None:
            return refusal or _refusal(40163, "code been used")
        self._codes[asked["code"]] = None
        union = {"unionid": person.unionid} if person.unionid else {}
        return _text(
            {
                "access_token": secrets.token_urlsafe(64),
                "expires_in": 7200,
                "refresh_token": secrets.token_urlsafe(64),
                "openid": person.openid,
                "scope": "snsapi_login",
                **union,
            }
        )

    def _refused(self, asked: Mapping[str, str]) -> Response | None:
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


@asynccontextmanager
async def running_wechat() -> AsyncIterator[WechatServer]:
    """Serve WeChat on a free port of loopback for the length of the block."""
    with listener() as listening:
        wechat = WechatServer(f"http://127.0.0.1:{listening.getsockname()[1]}")
        routes = [Route(f"/connect/{page}", wechat.agree) for page in _SCOPES]
        application = Starlette(routes=[*routes, Route("/sns/oauth2/access_token", wechat.redeem)])
        config = uvicorn.Config(
            application, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield wechat
        finally:
            server.should_exit = True
            await serving


def _refusal(errcode: int, errmsg: str) -> Response:
    return _text({"errcode": errcode, "errmsg": f"{errmsg}, rid: 6523f2d8-1d1f1d1e-0c3a1b2c"})


def _text(content: Mapping[str, object]) -> Response:
    """Answer JSON as WeChat does: with the media type of plain text."""
    return PlainTextResponse(json.dumps(content))
