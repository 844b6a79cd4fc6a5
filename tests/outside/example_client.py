"""A front end in seventy lines: lets a person in on a device without a browser, and shows their home."""

# python example_client.py https://api.example my-client; what each step is for stands in docs/for-front-ends.md
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class Api:
    """One person's way to the API, through one client."""

    def __init__(self, address: str, client_id: str) -> None:
        self.http = httpx.Client(base_url=address, timeout=30, headers={"Accept-Language": "zh-CN"})
        self.client_id = client_id
        self.tokens: dict[str, Any] = {}

    def sign_in(self, scope: str, show: Callable[[str, str], None]) -> None:
        """Show where to go and what to type there, and wait until the person has agreed (RFC 8628)."""
        device = self._to("device_authorization", scope=scope)
        show(device["verification_uri"], device["user_code"])
        while "access_token" not in self.tokens:
            time.sleep(device["interval"])
            self.tokens = self._to("token", grant_type=DEVICE_CODE, device_code=device["device_code"])
            device["interval"] += 5 if self.tokens.get("error") == "slow_down" else 0

    def _to(self, endpoint: str, **form: str) -> dict[str, Any]:
        answer = dict(self.http.post(f"/oauth2/{endpoint}", data={"client_id": self.client_id, **form}).json())
        if answer.get("error") not in {None, "authorization_pending", "slow_down"}:
            raise PermissionError(answer["error_description"])
        return answer

    def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Ask, and ask again where that helps: with a new token, after the time that was named, after a lost answer."""
        headers = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        for more in (True, True, False):
            headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
            try:
                answer = self.http.request(method, path, headers=headers, **sent)
            except httpx.TransportError:
                if more:
                    continue  # with the same key it takes effect once
                raise
            if more and answer.status_code == 401 and answer.json()["type"] == "/problems/token_invalid":
                self.tokens |= self._to("token", grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])
            elif more and answer.status_code in {429, 503}:
                time.sleep(int(answer.headers["retry-after"]))
            else:
                return answer.raise_for_status()
        raise AssertionError("the last try returns or raises")

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Give every item of a list, page by page."""
        while query.get("cursor", "") is not None:
            page = self.ask("GET", path, params=query).json()
            yield from page["items"]
            query["cursor"] = page["next_cursor"]


if __name__ == "__main__":
    api = Api(*sys.argv[1:])
    api.sign_in("openid gateway.read", lambda where, code: print(f"{where}: {code}", flush=True))  # noqa: T201
    for item in api.pages("/v1/home"):
        print(item["title"]["zh"], item["href"])  # noqa: T201
