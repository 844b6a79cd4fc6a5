"""WeChat as its public documentation describes it. It is OAuth 2 with names of its own, and not OpenID Connect.

Websites: https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login.html; official accounts,
inside WeChat's own browser:
https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
"""

import asyncio
from typing import Final, Literal, NamedTuple
from urllib.parse import urlencode, urlsplit

import httpx
import orjson

LONGEST_SECONDS: Final = 5.0
LARGEST_ANSWER: Final = 64 * 1024
_CODE_REFUSED: Final = frozenset({40029, 40163, 41008, 42003})
"""The code is invalid, was used, is missing, or ran out."""

Kind = Literal["website", "official_account"]


class WechatCodeRefused(Exception):
    """WeChat does not know the code: it is forged, used or too old."""


class WechatUnavailable(Exception):
    """WeChat does not answer, or not as documented; the argument is its code or the kind of failure."""


class WechatSubject(NamedTuple):
    """Somebody at WeChat: their id for this application, and the one for all of its owner's, where it has one."""

    openid: str
    unionid: str | None


class Wechat:
    """Sends browsers to WeChat and redeems the codes they bring back; nothing else of a person is asked for."""

    def __init__(self, *, app_id: str, secret: str, kind: Kind, address: str, api_address: str) -> None:
        self.app_id = app_id
        self._secret = secret
        self._kind = kind
        self._address = address.rstrip("/")
        self._api_address = api_address.rstrip("/")
        self._tls = httpx.create_ssl_context(trust_env=False)  # reads all authorities, which takes 30 ms

    @property
    def source(self) -> str:
        """Where the person agrees, as a CSP source expression."""
        parts = urlsplit(self._address)
        return f"{parts.scheme}://{parts.netloc}"

    def address_for(self, *, redirect_uri: str, state: str) -> str:
        """Give the address at which the person agrees; the order of the parameters is the documented one."""
        page, scope = ("qrconnect", "snsapi_login") if self._kind == "website" else ("oauth2/authorize", "snsapi_base")
        query = {
            "appid": self.app_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": scope,
            "state": state,
        }
        return f"{self._address}/connect/{page}?{urlencode(query)}#wechat_redirect"

    async def subject_of(self, code: str) -> WechatSubject:
        """Redeem a code, within five seconds. Raises `WechatCodeRefused` and `WechatUnavailable`.

        The documentation wants the secret in the query; `telemetry` keeps httpx's lines with addresses out of the logs.
        """
        if not code:  # a browser brings none when its person did not agree
            raise WechatCodeRefused
        query = {
            "appid": self.app_id,
            "secret": self._secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        try:
            async with (
                asyncio.timeout(LONGEST_SECONDS),
                httpx.AsyncClient(
                    timeout=LONGEST_SECONDS, trust_env=False, follow_redirects=False, verify=self._tls
                ) as http,
                http.stream("GET", f"{self._api_address}/sns/oauth2/access_token", params=query) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        raise WechatUnavailable("too_large")
                status = response.status_code
        except (httpx.HTTPError, TimeoutError) as error:
            raise WechatUnavailable(type(error).__name__) from None  # httpx's own text would name the address
        return _subject_in(status, bytes(body))


def _subject_in(status: int, body: bytes) -> WechatSubject:
    """Read the answer: what is refused comes with status 200 and an `errcode`."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise WechatUnavailable(f"status_{status}") from None
    if status != httpx.codes.OK or not isinstance(answer, dict):
        raise WechatUnavailable(f"status_{status}")
    errcode = answer.get("errcode", 0)
    if errcode in _CODE_REFUSED:
        raise WechatCodeRefused
    openid, unionid = answer.get("openid"), answer.get("unionid")
    if errcode or not isinstance(openid, str) or not openid or not isinstance(unionid, str | None):
        raise WechatUnavailable(f"errcode_{errcode}")
    return WechatSubject(openid, unionid or None)
