"""Channels by which a message reaches a phone; today short messages by the gateway of Tencent Cloud.

Its documentation: https://www.tencentcloud.com/document/product/382/40536 (SendSms, version 2021-01-11) and, for the
signature, https://www.tencentcloud.com/document/product/1084/39391 (TC3-HMAC-SHA256).
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import orjson

LONGEST_SECONDS: Final = 10.0
_ACTION: Final = "SendSms"
_VERSION: Final = "2021-01-11"
_SERVICE: Final = "sms"
_TYPE: Final = "application/json; charset=utf-8"
_SIGNED: Final = "content-type;host;x-tc-action"
# Answers that another try of the same message would get as well.
_FINAL: Final = frozenset(
    {
        "FailedOperation.PhoneNumberInBlacklist",
        "InvalidParameterValue.IncorrectPhoneNumber",
        "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
    }
)


class Message(NamedTuple):
    """One message: the name of its text, and what fills that text in its order."""

    message_id: UUID
    phone: str
    text: str
    language: str
    parameters: Sequence[str]


class NotDelivered(Exception):
    """The gateway did not take the message; the argument is its code or the kind of failure. Another try may do."""


class Undeliverable(Exception):
    """The gateway will never take the message; the argument is its code."""


class GatewayKey(NamedTuple):
    """What proves to the gateway who sends: the key's id and the key."""

    key_id: str
    secret: str


class TencentSms:
    """Sends by `SendSms`. The message's id goes along as `SessionContext`, by which a repetition is known."""

    def __init__(
        self,
        url: str,
        key: GatewayKey,
        *,
        application: str,
        signature: str,
        region: str,
        templates: Mapping[tuple[str, str], str],
        clock: Callable[[], datetime],
    ) -> None:
        self._url = url
        self._host = urlsplit(url).netloc
        self._key = key
        self._told = {"SmsSdkAppId": application, "SignName": signature}
        self._region = region
        self._templates = templates
        self._clock = clock
        self._http = httpx.AsyncClient(timeout=LONGEST_SECONDS / 2, trust_env=False, follow_redirects=False)

    async def deliver(self, message: Message) -> None:
        """Hand the message over, within ten seconds. Raises `NotDelivered` and `Undeliverable`."""
        body = orjson.dumps(
            {
                **self._told,
                "PhoneNumberSet": [message.phone],
                "TemplateId": self._templates[message.text, message.language],
                "TemplateParamSet": list(message.parameters),
                "SessionContext": str(message.message_id),
            }
        )
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                response = await self._http.post(self._url, content=body, headers=self._headers(body))
        except (httpx.HTTPError, TimeoutError) as error:
            raise NotDelivered(type(error).__name__) from error
        _require_taken(response)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _headers(self, body: bytes) -> dict[str, str]:
        now = self._clock()
        return {
            "Content-Type": _TYPE,
            "Host": self._host,
            "X-TC-Action": _ACTION,
            "X-TC-Version": _VERSION,
            "X-TC-Region": self._region,
            "X-TC-Timestamp": str(int(now.timestamp())),
            "Authorization": authorization(self._key, host=self._host, body=body, now=now),
        }


def authorization(key: GatewayKey, *, host: str, body: bytes, now: datetime) -> str:
    """Give the `Authorization` header of a `SendSms` request, as "Signature v3" says."""
    day = now.astimezone(UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{_SERVICE}/tc3_request"
    headers = f"content-type:{_TYPE}\nhost:{host}\nx-tc-action:{_ACTION.lower()}\n"
    request = f"POST\n/\n\n{headers}\n{_SIGNED}\n{hashlib.sha256(body).hexdigest()}"
    signed = f"TC3-HMAC-SHA256\n{int(now.timestamp())}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    derived = f"TC3{key.secret}".encode()
    for part in (day, _SERVICE, "tc3_request"):
        derived = hmac.digest(derived, part.encode(), "sha256")
    signature = hmac.digest(derived, signed.encode(), "sha256").hex()
    return f"TC3-HMAC-SHA256 Credential={key.key_id}/{scope}, SignedHeaders={_SIGNED}, Signature={signature}"


def _require_taken(response: httpx.Response) -> None:
    """Raise unless the gateway says that it took the one message."""
    if response.status_code != httpx.codes.OK:
        raise NotDelivered(f"http_{response.status_code}")
    try:
        answer = response.json()["Response"]
        code = answer["Error"]["Code"] if "Error" in answer else answer["SendStatusSet"][0]["Code"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise NotDelivered("unreadable_answer") from error
    if code != "Ok":
        known = str(code)[:100]
        raise Undeliverable(known) if known in _FINAL else NotDelivered(known)
