"""The pages as HTML: two languages, large type, no script, and headers that allow nothing the page does not need."""

import base64
import hashlib
import tomllib
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse

from identity.pages.addresses import page_address
from identity.pages.requests import Parameters
from webapi.languages import Language, language_named, preferred

_FILES = resources.files("identity.pages")
_STYLE = (_FILES / "templates" / "style.css").read_text("utf-8").strip()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_OPENED_BY_US = {"Cross-Origin-Opener-Policy": "same-origin"}
"""Of pages and of the way to them: no site that opened one can lead it elsewhere. The page of the API document can."""
_TEMPLATES = Environment(
    loader=PackageLoader("identity.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def _read_texts() -> dict[str, dict[str, str]]:
    """Read what the pages say, by language; each file of texts holds both, and no word of another file."""
    texts: dict[str, dict[str, str]] = {"zh": {}, "en": {}}
    for file in sorted((_FILES / "texts").iterdir(), key=lambda file: file.name):
        for language, words in tomllib.loads(file.read_text("utf-8")).items():
            if repeated := texts[language].keys() & words.keys():
                raise ValueError(f"{file.name} says {sorted(repeated)} again")
            texts[language].update(words)
    return texts


TEXTS = _read_texts()


def language_of(ui_locales: str | None, accept_language: str | None) -> Language:
    """Choose the page's language: what the request asks for, else what the browser prefers, else Chinese."""
    asked_for = (language for tag in (ui_locales or "").split() if (language := language_named(tag)) is not None)
    return next(asked_for, preferred(accept_language or ""))


def page(
    name: str,
    *,
    language: Language,
    address: str,
    parameters: Parameters,
    status: int = 200,
    target: str | None = None,
    script: bool = False,
    **values: Any,
) -> HTMLResponse:
    """Render the template `name` as a page that stands at `address`.

    `target` is a further place, as a CSP source expression, to which the answer to the page's form may lead;
    `script` lets it run scripts from our own origin.
    """
    other: Language = "en" if language == "zh" else "zh"
    html = _TEMPLATES.get_template(f"{name}.html").render(
        t=TEXTS[language],
        page_name=name,
        style=Markup(_STYLE),  # noqa: S704 - our own file
        own_address=page_address(address, parameters),
        other_lang=TEXTS[other]["lang"],
        other_language_address=page_address(address, {**parameters, "ui_locales": other}),
        **values,
    )
    response = HTMLResponse(html, status_code=status)
    response.headers.update(_headers(target, script=script))
    response.headers["Content-Language"] = TEXTS[language]["lang"]
    return response


def refused(language: Language, error: str, *, status: int = 400) -> HTMLResponse:
    """Render the page that says a request cannot go on, with the code its senders can look up."""
    return page("refused", language=language, address="/sign-in", parameters={}, status=status, error=error)


def _headers(target: str | None, *, script: bool) -> dict[str, str]:
    policy = (
        "default-src 'none'",
        *(["script-src 'self'"] if script else []),
        f"style-src 'sha256-{_STYLE_HASH}'",
        f"form-action 'self' {target}" if target else "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        **_OPENED_BY_US,
        "Cache-Control": "no-store",
        "Vary": "Accept-Language, Cookie",
    }


def go_to(address: str) -> RedirectResponse:
    """Send the browser on to an address; nothing keeps that it was sent there."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store", **_OPENED_BY_US})
