"""A request for a page: its parameters, language and cookies, and whether its form came from a page of ours."""

from collections.abc import Callable, Coroutine
from hmac import compare_digest
from typing import Annotated, Any, Final, NamedTuple

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response

from identity.pages.html import language_of, page, refused
from identity.pages.requests import Parameters, Unreadable, read_query, read_typed_form
from identity.secrets import new_secret
from identity.shared import IdentityShared, Shared
from webapi.languages import Language

FORM_LIFETIME = 3600
"""Seconds in which a form that was shown may be sent."""


class Notice(NamedTuple):
    """What a page says above its form: the key of the text, the status it goes with, and the seconds to wait."""

    text: str | None = None
    status: int = 200
    seconds: int | None = None


NOTHING: Final = Notice()
FORM_EXPIRED: Final = Notice("form_expired", 403)


class Visit(NamedTuple):
    """One request for a page: its parameters, its language, its cookies, and whether another site sent it."""

    request: Request
    shared: IdentityShared
    parameters: Parameters
    language: Language
    session_cookie: str | None
    form_cookie: str | None
    from_elsewhere: bool

    @property
    def client_address(self) -> str:
        """The address that the request comes from."""
        return self.shared.client_address(self.request)

    def cookie(self, purpose: str) -> str | None:
        """Give the value of one of our cookies."""
        return self.request.cookies.get(cookie_name(purpose, secure=self.shared.secure))


def cookie_name(purpose: str, *, secure: bool) -> str:
    """Give a cookie's name; under https the prefix makes browsers refuse one that another host or path set."""
    return f"__Host-{purpose}" if secure else purpose


async def _visit(request: Request, shared: Shared) -> Visit:
    parameters = read_query(request)
    return Visit(
        request,
        shared,
        parameters,
        language_of(parameters.get("ui_locales"), request.headers.get("accept-language")),
        request.cookies.get(cookie_name("session", secure=shared.secure)),
        request.cookies.get(cookie_name("form", secure=shared.secure)),
        request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"},
    )


Visited = Annotated[Visit, Depends(_visit)]
"""The visit, as a parameter of a page's route."""
Form = Annotated[Parameters, Depends(read_typed_form)]
"""The form that was sent, as a parameter of a page's route, after `Visited`."""


def is_ours(visit: Visit, form: Parameters) -> bool:
    """Say whether the form came from our own page in this browser: its token is the cookie's, which no site can read.

    `SameSite` keeps the cookie from other sites; where a browser says who sent the form, that is asked too.
    """
    sent, kept = form.get("form_token", ""), visit.form_cookie or ""
    return bool(kept) and not visit.from_elsewhere and compare_digest(sent.encode(), kept.encode())


def form_page(visit: Visit, template: str, *, address: str, notice: Notice = NOTHING, **values: Any) -> HTMLResponse:
    """Render the page `template`, which holds a form with the hidden field `form_token`, and set the form's cookie.

    The template gets the notice as `problem` and `seconds`.
    """
    form_token = visit.form_cookie or new_secret()
    response = page(
        template,
        language=visit.language,
        address=address,
        parameters=visit.parameters,
        status=notice.status,
        form_token=form_token,
        problem=notice.text,
        seconds=notice.seconds,
        **values,
    )
    if notice.seconds is not None:
        response.headers["Retry-After"] = str(notice.seconds)
    set_cookie(response, visit.shared, "form", form_token, max_age=FORM_LIFETIME)
    return response


class PageRoute(APIRoute):
    """The route of a page: a request whose parameters cannot be read is refused in words people can read."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler that refuses what cannot be read as a visit or a form."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except Unreadable:
                return refused(language_of(None, request.headers.get("accept-language")), "invalid_request")

        return handler


def set_cookie(
    response: Response, shared: IdentityShared, purpose: str, value: str, *, max_age: int | None = None
) -> None:
    """Set a cookie that no script reads and no other site sends; `max_age` in seconds, else while the browser runs."""
    response.set_cookie(
        cookie_name(purpose, secure=shared.secure),
        value,
        max_age=max_age,
        secure=shared.secure,
        httponly=True,
        samesite="lax",
    )
