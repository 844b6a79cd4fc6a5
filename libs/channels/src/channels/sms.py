"""Short messages by the gateway of Tencent Cloud.

Its documentation: https://www.tencentcloud.com/document/product/382/40536 (SendSms, version 2021-01-11) and, for the
signature, https://www.tencentcloud.com/document/product/1084/39391 (TC3-HMAC-SHA256).
"""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson

from channels.outcomes import Message, NotTaken, Outcome, Refused, Taken

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

    async def deliver(self, message: Message) -> Outcome:
        """Hand the message over, within ten seconds."""
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
            return NotTaken(type(error).__name__)
        return _outcome_of(response)

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


def _outcome_of(response: httpx.Response) -> Outcome:
    """Read whether the gateway took the one message."""
    if response.status_code != httpx.codes.OK:
        return NotTaken(f"http_{response.status_code}")
    try:
        answer = response.json()["Response"]
        code = answer["Error"]["Code"] if "Error" in answer else answer["SendStatusSet"][0]["Code"]
    except (ValueError, KeyError, IndexError, TypeError):
        return NotTaken("unreadable_answer")
    known = str(code)[:100]
    if known == "Ok":
        return Taken()
    return Refused(known) if known in _FINAL else NotTaken(known)
