"""A person with a standard HTTP client: signs in with code and PKCE, then speaks to the gateway."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import httpx
import pyotp

from standalone.seed.sign_in import SignedIn


class Person:
    """Somebody who is signed in; `get`, `post` and `put` give the JSON of an answer with the expected status."""

    def __init__(self, url: str, username: str, password: str, *, signed_in: SignedIn | None = None) -> None:
        self._url = url
        self._password = password
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=20)
        self._signed_in = signed_in or SignedIn(url, username, password)

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def set_up_second_factor(self) -> None:
        """Begin to use an authenticator app, and sign in with it from now on."""
        begun = await self.post("/v1/me/totp")
        codes = await self.post("/v1/me/totp/confirm", {"code": pyotp.TOTP(begun["secret"]).now()}, status=200)
        spare = iter(codes["recovery_codes"])  # each is good once, but at any time: no waiting for the next code
        name = self._signed_in.username
        self._signed_in = SignedIn(self._url, name, self._password, second_factor=lambda: next(spare))

    def sign_in_anew(self) -> None:
        """Sign in again at the next request."""
        self._signed_in.forget()

    async def token(self) -> str:
        """Give the access token."""
        return (await self._signed_in.headers())["Authorization"].removeprefix("Bearer ")

    async def answer(
        self, method: str, path: str, body: Any = None, *, if_match: str | None = None, **parameters: Any
    ) -> httpx.Response:
        """Give an answer as it is, whatever its status; of one without an end its head alone."""
        headers = await self._signed_in.headers() | ({} if if_match is None else {"If-Match": if_match})
        asked = self._http.stream(method, path, json=body, params=parameters or None, headers=headers)
        async with asked as answer:
            if answer.headers.get("content-type", "").startswith("text/event-stream"):
                return httpx.Response(answer.status_code, headers=answer.headers)
            await answer.aread()
        return answer

    async def get(self, path: str, *, status: int = 200, **parameters: Any) -> Any:
        return await self.ask("GET", path, None, status=status, parameters=parameters)

    async def post(self, path: str, body: Any = None, *, status: int = 201) -> Any:
        return await self.ask("POST", path, body, status=status)

    async def put(self, path: str, body: Any, *, status: int = 200) -> Any:
        return await self.ask("PUT", path, body, status=status)

    async def ask(
        self, method: str, path: str, body: Any, *, status: int, parameters: dict[str, Any] | None = None
    ) -> Any:
        headers = await self._signed_in.headers()
        answer = await self._http.request(method, path, json=body, params=parameters, headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def home(self) -> dict[str, dict[str, Any]]:
        """Give every item of this person's home by its key."""
        items: dict[str, dict[str, Any]] = {}
        page: dict[str, Any] = {"next_cursor": None}
        while True:
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
            page = await self.get("/v1/home", limit=50, **cursor)
            items |= {item["key"]: item for item in page["items"]}
            if page["next_cursor"] is None:
                return items

    async def figures(self, organisation_id: object) -> dict[str, int | None]:
        """Give an organisation's figures by measure."""
        overview = await self.get(f"/v1/overview/{organisation_id}")
        return {figure["measure"]: figure["value"] for figure in overview["figures"]}


def first_of(password: str) -> str:
    """Give the password that somebody else opens an account with, whose owner then chooses `password`."""
    return f"{password}-given"


def confirming(officer: Person, person_id: str) -> Callable[[str], Awaitable[None]]:
    """Give what has an officer confirm, by the number on the page, that somebody is whom the account is for."""

    async def confirm(number: str) -> None:
        await officer.post(f"/v1/accounts/{person_id}/confirmation", {"number": number})

    return confirm


async def open_account(
    opener: Person, url: str, *, username: str, password: str, organisation_id: object, **more: str
) -> str:
    """Have an account opened, and its owner sign in for the first time and choose `password`; give the person's id."""
    body = {"username": username, "password": first_of(password), "organisation_id": str(organisation_id), **more}
    opened = await opener.post("/v1/accounts", body)
    await SignedIn(url, username, password, first_password=first_of(password)).headers()
    return str(opened["person_id"])


async def within(seconds: float, condition: Callable[[], Awaitable[bool]]) -> float:
    """Wait until `condition` holds and give how long that took; fail after `seconds`."""
    began = time.monotonic()
    while not await condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.1)
    return time.monotonic() - began
