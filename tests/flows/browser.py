"""A browser without script: it keeps cookies, follows links, and sends forms as the pages give them."""

import re
from html import unescape
from types import TracebackType
from urllib.parse import urljoin

import httpx

_FORM = re.compile(r'<form[^>]* action="([^"]*)"[^>]*>(.*?)</form>', re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')
_FARTHEST = 10


class Browser:
    """Somebody at the pages of the system at `url`; it stops at an address of another machine, as of a client."""

    def __init__(self, url: str) -> None:
        self.http = httpx.AsyncClient(base_url=url, headers={"Accept-Language": "en"}, trust_env=False, timeout=20)

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def open(self, address: str, **parameters: str) -> httpx.Response:
        """Open an address and give the page one ends on, or the answer that leads to another machine."""
        return await self._led(await self.http.get(address, params=parameters or None))

    async def send(self, page: httpx.Response, *, to: str | None = None, **fields: str) -> httpx.Response:
        """Send a page's first form, or its form to an address, with its hidden fields and these."""
        forms = [(unescape(address), inside) for address, inside in _FORM.findall(page.text)]
        found = [form for form in forms if to in {None, form[0]}]
        assert found, f"{page.status_code} {page.url}: {page.text}"
        address, inside = found[0]
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(inside)}
        sent = await self.http.post(urljoin(str(page.url), address), data={**hidden, **fields})
        return await self._led(sent)

    async def sign_in(self, address: str, username: str, password: str, **parameters: str) -> httpx.Response:
        """Open an address that asks who one is; sign in by password and give what comes then."""
        page = await self.open(address, **parameters)
        assert page.url.path == "/sign-in", page.url
        done = await self.send(page, username=username, password=password)
        assert done.url.path != "/sign-in", done.text
        return done

    async def _led(self, answer: httpx.Response) -> httpx.Response:
        for _ in range(_FARTHEST):
            if answer.next_request is None or answer.next_request.url.host not in {
                "127.0.0.1",
                self.http.base_url.host,
            }:
                return answer
            answer = await self.http.get(answer.next_request.url)  # one by one, so that each answer is overheard
        raise AssertionError(f"led in a circle at {answer.url}")
