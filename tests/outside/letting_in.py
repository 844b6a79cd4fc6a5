"""A person on their own phone lets a device in: signs in on the page, types the code, and agrees."""

import re
from html import unescape
from urllib.parse import urljoin

import httpx


async def let_in(url: str, username: str, password: str, user_code: str) -> None:
    """Go through the pages behind `verification_uri`."""
    answers = ({"username": username, "password": password}, {"user_code": user_code}, {"decision": "approve"})
    async with httpx.AsyncClient(base_url=url, trust_env=False, follow_redirects=True, timeout=20) as phone:
        page = await phone.get("/oauth2/device")
        for answer in answers:
            page = await submit(phone, page, **answer)
        assert page.status_code == 200, page.text


async def submit(browser: httpx.AsyncClient, page: httpx.Response, **filled: str) -> httpx.Response:
    """Fill in the form of a page."""
    form = re.search(r'<form method="post" action="([^"]*)">(.*?)</form>', page.text, re.DOTALL)
    assert form is not None, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2])
    fields = {**{name: unescape(value) for name, value in hidden}, **filled}
    return await browser.post(urljoin(str(page.url), unescape(form[1])), data=fields)
