"""The phone of a demonstration: a gateway of short messages on this machine, and a page that shows what came.

It speaks as the channel of `libs/channels` does, by Tencent Cloud's public documentation:
https://www.tencentcloud.com/document/product/382/40536 (SendSms) and
https://www.tencentcloud.com/document/product/1084/39391 (the signature).
"""

import hashlib
import hmac
import html
import json
import os
import re
import time
import tomllib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from standalone import processes
from standalone.data_directory import DataDirectory
from standalone.loopback import Answer, Asked, LoopbackServer
from standalone.services import folder_of

KEY_ID = "demonstration"
APPLICATION = "1400006666"
SIGNATURE = "乡桥"
SHOWN = 50
SENDING = {"identity": "messages", "members": "phone_messages"}
"""The services that send to phones, and where each has its texts."""
_CLOCK_SECONDS = 300
_UNSHARED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, SignedHeaders=([a-z;-]+), "
    r"Signature=([0-9a-f]{64})"
)


class Sent(NamedTuple):
    """A message that reached a phone: its template at the gateway, and that template's parameters in order."""

    template: str
    parameters: tuple[str, ...]


class MessageGateway:
    """Takes requests as the documented gateway would: checks every signature, delivers what comes twice once."""

    def __init__(self, key: str) -> None:
        self.failing: str | None = None
        """The code it answers instead of taking a message; None: it takes them."""
        self.delivered: deque[tuple[str, Sent]] = deque(maxlen=100_000)
        self._key = key
        self._known: set[str] = set()

    def settings(self, url: str, texts: Iterable[str]) -> dict[str, str]:
        """Give the settings by which a service sends to it at `url`; a template is called like its text: `code.zh`."""
        names = [f"{text}.{language}" for text in texts for language in ("zh", "en")]
        return {
            "sms_url": url,
            "sms_key_id": KEY_ID,
            "sms_token": self._key,
            "sms_application": APPLICATION,
            "sms_signature": SIGNATURE,
            "sms_templates": ",".join(f"{name}={name}" for name in names),
        }

    def messages_to(self, phone: str) -> list[Sent]:
        """Give what reached a phone (`+86…`), in order."""
        return [message for number, message in list(self.delivered) if number == phone]

    def answer(self, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Answer a SendSms request; `headers` are named in lower case."""
        if (refused := self._signature_refused(headers, body)) is not None:
            return _error(refused)
        try:
            sent = json.loads(body)
            phones, message = sent["PhoneNumberSet"], Sent(sent["TemplateId"], tuple(sent["TemplateParamSet"]))
            context, sender = sent["SessionContext"], (sent["SmsSdkAppId"], sent["SignName"])
        except (ValueError, KeyError, TypeError):
            return _error("InvalidParameter")
        if sender != (APPLICATION, SIGNATURE):
            return _error("UnauthorizedOperation.SmsSdkAppIdVerifyFail")
        for phone in phones if self.failing is None else ():
            if f"{phone} {context}" not in self._known:
                self._known.add(f"{phone} {context}")
                self.delivered.append((phone, message))
        statuses = [_status(phone, context, self.failing or "Ok") for phone in phones]
        return {"Response": {"SendStatusSet": statuses, "RequestId": "a0aabda6-cf91-4f3e-a81f-9198114a2279"}}

    def _signature_refused(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Check the request as "Signature v3" says; give the error's code, or None when it is right."""
        match = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        timestamp = headers.get("x-tc-timestamp", "")
        if match is None or not timestamp.isdecimal() or headers.get("x-tc-version") != "2021-01-11":
            return "AuthFailure.SignatureFailure"
        if abs(time.time() - int(timestamp)) > _CLOCK_SECONDS:
            return "AuthFailure.SignatureExpire"
        if match[1] != KEY_ID:
            return "AuthFailure.SecretIdNotFound"
        signed = match[3].split(";")
        if not {"content-type", "host"} <= set(signed) <= headers.keys() or headers.get("x-tc-action") != "SendSms":
            return "AuthFailure.SignatureFailure"
        lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in signed)
        canonical = f"POST\n/\n\n{lines}\n{match[3]}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{match[2]}/sms/tc3_request"
        to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"TC3{self._key}".encode()
        for part in (match[2], "sms", "tc3_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        expected = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return None if hmac.compare_digest(expected, match[4]) else "AuthFailure.SignatureFailure"


class MessageServer(MessageGateway, LoopbackServer):
    """Such a gateway that listens on this machine."""

    largest_body = 64 * 1024

    def __init__(self, key: str, port: int = 0) -> None:
        MessageGateway.__init__(self, key)
        LoopbackServer.__init__(self, port)

    def taken(self, asked: Asked) -> Answer:
        """Answer a message, one at a time."""
        with self.turn:
            return Answer(json.dumps(self.answer(asked.headers, asked.body)).encode(), "application/json")


@contextmanager
def demo_phone(home: DataDirectory, *, wanted: bool = True) -> Iterator[tuple[str, dict[str, str]] | None]:
    """Run the phone for the length of the block: its page's address, and the settings of who sends, as in `secrets_of`.

    None where it is not `wanted`, where a gateway of short messages is set in the environment, or the texts that
    services send are not to be found.
    """
    texts = texts_of_services() if wanted else None
    if os.environ.get("XIANGQIAO_SMS_URL") or texts is None:
        home.remember(demo_phone=None)
        yield None
        return
    before = home.state.get("demo_phone") or 0
    port = before if before and processes.is_port_free(before) else 0
    with _Phone(home.secret("sms.token"), port, texts) as phone:
        home.remember(demo_phone=phone.port)
        yield phone.url, {name.upper(): value for name, value in phone.settings(phone.url, texts).items()}


def texts_of_services() -> dict[str, dict[str, str]] | None:
    """Read the texts that services send, which an operator registers with the gateway; None without their files."""
    texts: dict[str, dict[str, str]] = {}
    for service, folder in SENDING.items():
        package = folder_of(service)
        if package is None or not (file := package / folder / "texts.toml").is_file():
            return None
        texts |= tomllib.loads(file.read_text("utf-8"))
    return texts


def number_of(position: int) -> str:
    """Give the phone number of the demonstration's person at this position, from 1 on: one that nobody has."""
    return f"1420000{position:04}"


class _Phone(MessageServer):
    """Takes messages by POST, and shows by GET what came."""

    def __init__(self, key: str, port: int, texts: Mapping[str, Mapping[str, str]]) -> None:
        super().__init__(key, port)
        self._texts = texts

    def respond(self, asked: Asked) -> Answer:
        """Show the page to who asks for this machine by its own name: no other site's page gets it."""
        if asked.method == "POST":
            return self.taken(asked)
        if asked.headers.get("host", "").partition(":")[0] not in {"127.0.0.1", "localhost"}:
            return Answer(b"", "text/plain", 421)
        return Answer(_page(self, self._texts).encode(), "text/html; charset=utf-8", headers=_UNSHARED)


def _page(gateway: MessageGateway, texts: Mapping[str, Mapping[str, str]]) -> str:
    newest = list(gateway.delivered)[-SHOWN:][::-1]
    rows = "".join(
        f"<tr><td>{html.escape(phone)}</td><td>{html.escape(_said(message, texts))}</td></tr>"
        for phone, message in newest
    )
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        "<title>演示手机 · Demo phone</title><h1>演示手机 · Demo phone</h1>"
        f"<table><tr><th>手机 · Phone</th><th>短信 · Message</th></tr>{rows}</table></html>"
    )


def _said(message: Sent, texts: Mapping[str, Mapping[str, str]]) -> str:
    """Give the whole text as it would stand on the phone."""
    text, _, language = message.template.partition(".")
    pieces = re.split(r"\{\w+\}", texts.get(text, {}).get(language, message.template))
    filled = [*message.parameters, *[""] * len(pieces)]
    return f"【{SIGNATURE}】" + "".join(f"{piece}{value}" for piece, value in zip(pieces, filled, strict=False))


def _status(phone: str, context: str, code: str) -> dict[str, Any]:
    taken = code == "Ok"
    return {
        "SerialNo": "5000:1045710669157053657849499619" if taken else "",
        "PhoneNumber": phone,
        "Fee": 1 if taken else 0,
        "SessionContext": context,
        "Code": code,
        "Message": "send success" if taken else "refused",
        "IsoCode": "CN",
    }


def _error(code: str) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": "refused"}, "RequestId": "ed93f3cb"}}
