"""Every answer to an operation that will go says so: what a service answers, the gateway itself, and its refusals."""

from uuid import uuid4

from gateway.forwarding.endings import endings_of, unrecorded_of
from gateway.forwarding.routing import Route
from testkit.tokens import TokenIssuer
from webapi import Authenticator

from .door import opened
from .raw_service import RawService

ROUTES = (Route("/v1/courses", "learning"), Route("/v1/home", None), Route("/oauth2", "learning", public=True))
OLD = {"deprecated": True, "x-deprecated-since": "2026-12-01", "x-sunset": "2027-06-01"}
PATHS = {path: {"get": OLD, "post": {}} for path in ("/v1/courses/{course_id}", "/v1/home", "/oauth2/old", "/gone")}


async def test_answers_of_a_deprecated_operation_say_since_when_and_until_when(
    issuer: TokenIssuer, authenticator: Authenticator, service: RawService
) -> None:
    endings = endings_of(PATHS)
    token = issuer.token(uuid4())
    async with opened(ROUTES, {"learning": service.url}, authenticator, token, endings=endings) as door:
        for path in ("/v1/courses/1", "/v1/home", "/oauth2/old", "/gone"):
            for with_token in (True, False):
                reply = await door.ask(f"GET {path}", token=with_token)
                assert reply.header("deprecation") == "@1796083200", (path, reply)
                assert reply.header("sunset") == "Tue, 01 Jun 2027 00:00:00 GMT"
            other = await door.ask(f"POST {path}")
            assert (other.header("deprecation"), other.header("sunset")) == (None, None)
        assert (await door.ask("GET /v1/courses")).header("deprecation") is None


def test_without_a_day_it_was_always_so() -> None:
    [ending] = endings_of({"/v1/home": {"get": {"deprecated": True}}})
    assert ending.lines == ((b"deprecation", b"@0"),)


def test_what_is_read_on_record_is_told_from_what_is_not() -> None:
    paths = {
        "/v1/cases/{case_id}": {"get": {"x-audited": ["feedback.case.read"]}},
        "/v1/courses/{course_id}": {"get": {"x-audited": {"none": "it tells of nobody"}}, "post": {}},
        "/v1/me": {"get": {}},
        "/v1/acts": {"post": {}},
    }
    forms = unrecorded_of(paths)
    asked = [b"/v1/cases/1", b"/v1/courses/1", b"/v1/courses", b"/v1/me", b"/v1/acts", b"/v1/me/x"]
    assert [path for path in asked if any(form.fullmatch(path) for form in forms)] == [b"/v1/courses/1", b"/v1/me"]
