"""Overhears what is secret in all that tests say to the system and hear from it, to look where it must not be."""

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson

NUMBERS = frozenset({"id_number", "phone"})
SECRETS = frozenset(
    {
        "access_token",
        "refresh_token",
        "id_token",
        "code_verifier",
        "client_secret",
        "device_code",
        "user_code",
        "ticket",
        "subject_token",
        "actor_token",
        "client_assertion",
        "password",
        "old_password",
        "new_password",
        "code",
        "codes",
        "secret",
        "recovery_codes",
        "notice_code",
        "form_token",
        "state",
        "nonce",
    }
)
TYPED = frozenset({"user_code", "recovery_codes"})
"""What people type, with or without its dashes."""
COOKIE = "cookie "
NAMES_A_ROW = f"{COOKIE}challenge"
"""It says which code a browser waits for; alone it is good for nothing, for the code is bound to another cookie."""
_SHORTEST = 6


class Overheard:
    """What was secret in the conversations so far: people's numbers, what opens doors, and the names of all these."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self.secrets: set[str] = set()
        self.kinds: set[str] = set()

    def _note(self, name: str, value: Any) -> None:
        if isinstance(value, list):
            for each in value:
                self._note(name, each)
        if not isinstance(value, str) or len(value) < _SHORTEST or "*" in value:
            return  # what is masked is not secret
        if name in NUMBERS:
            self.numbers.add(value)
        elif name in SECRETS or (name.startswith(COOKIE) and name != NAMES_A_ROW):
            self.secrets.add(value)
            if name in TYPED:
                self.secrets.add(value.replace("-", ""))
        else:
            return
        self.kinds.add(name)

    def _note_all(self, found: Any) -> None:
        if isinstance(found, dict):
            for name, value in found.items():
                self._note(name, value)
                self._note_all(value)
        elif isinstance(found, list):
            for each in found:
                self._note_all(each)

    def note_message(self, phone: str, words: Iterable[str]) -> None:
        """Note the number (`+86…`) that a short message went to, and the code among its words."""
        self.numbers.add(phone.removeprefix("+86"))
        for word in words:
            if re.fullmatch(r"\d{6}", word):
                self._note("code", word)

    def note(self, request: httpx.Request, response: httpx.Response) -> None:
        """Note what is secret in an exchange."""
        for kind, body in (
            (request.headers.get("content-type", ""), request.content),
            (response.headers.get("content-type", ""), response.content),
        ):
            if "json" in kind and body:
                with contextlib.suppress(orjson.JSONDecodeError):  # what is no JSON is some other test's
                    self._note_all(orjson.loads(body))
            elif "x-www-form-urlencoded" in kind:
                self._note_all(dict(parse_qsl(body.decode())))
        self._note_all(dict(parse_qsl(urlsplit(response.headers.get("location", "")).query)))
        for cookie in response.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._note(f"{COOKIE}{name}", value)


@contextlib.contextmanager
def overhearing() -> Iterator[Overheard]:
    """Overhear every exchange of every httpx client of this process for the length of the block."""
    overheard, send = Overheard(), httpx.AsyncClient.send

    async def heard(self: httpx.AsyncClient, request: httpx.Request, **options: Any) -> httpx.Response:
        response = await send(self, request, **options)
        if not options.get("stream"):
            overheard.note(request, response)
        return response

    httpx.AsyncClient.send = heard  # type: ignore[method-assign]
    try:
        yield overheard
    finally:
        httpx.AsyncClient.send = send  # type: ignore[method-assign]
