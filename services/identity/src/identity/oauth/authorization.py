"""The authorization endpoint's decision: send a code, ask the person to sign in, or refuse."""

import re
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error
from authlib.oidc.core.errors import InteractionRequiredError, LoginRequiredError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from identity.oauth.grants import CodeGrant, provider_with_grants
from identity.oauth.provider import Answer, Provider, SignedIn
from identity.oauth.requests import Parameters, ProviderRequest
from identity.oauth.tables import Client
from identity.parts import IdentityParts

_ASKS_FOR_THE_PERSON = {"login", "consent", "select_account"}
_WORDS = re.compile(r"[a-z_ ]{1,64}")


class Redirect(NamedTuple):
    """Send the browser to the client, with a code or with the reason why there is none."""

    location: str


class SignInNeeded(NamedTuple):
    """Show the sign-in page for this client; its form may lead on to `target`, as a CSP source expression."""

    name_zh: str
    name_en: str
    target: str


class Refused(NamedTuple):
    """Show the refusal: no address to answer at could be trusted."""

    error: str


Decision = Redirect | SignInNeeded | Refused


def decide(provider: Provider, parameters: Parameters, person: SignedIn | None, *, just_now: bool) -> Decision:
    """Decide on an authorization request.

    `just_now` says that the person proved who they are in answer to this very request. A native application is always
    answered that way only: anybody on the machine could be listening at its address, and a silent redirect would give
    a code to a program the person never meant to start (RFC 8252, section 8.6).
    """
    request = ProviderRequest("GET", f"{provider.place.issuer}/oauth2/authorize", _readable(parameters))
    try:
        grant: CodeGrant = provider.get_consent_grant(request, end_user=person)
        _require_supported(parameters, grant)
        if not just_now and (person is None or _asks_for_the_person(parameters, grant, person, provider.now)):
            if parameters.get("prompt") == "none":
                wanted = LoginRequiredError if person is None else InteractionRequiredError
                raise wanted(redirect_uri=grant.redirect_uri)
            return _sign_in_needed(grant)
        answer = provider.create_authorization_response(request, grant_user=person, grant=grant)
    except OAuth2Error as error:
        error.state = parameters.get("state")
        answer = provider.refusal(error)
    return _from(answer, issuer=provider.place.issuer)


async def decide_for(
    parts: IdentityParts,
    session: AsyncSession,
    parameters: Parameters,
    person: SignedIn | None,
    *,
    just_now: bool,
    now: datetime,
) -> Decision:
    """Take `decide` inside `session`; what it gives away is given when the session commits."""
    signer = await parts.keys.signer(session)

    def run(sync: Session) -> Decision:
        provider = provider_with_grants(sync, place=parts.place, signer=signer, now=now)
        return decide(provider, parameters, person, just_now=just_now)

    return await session.run_sync(run)


def sign_in_address(parameters: Parameters) -> str:
    """Give the address of the sign-in page that goes on with this request."""
    return f"/sign-in?{urlencode(parameters)}" if parameters else "/sign-in"


def _readable(parameters: Parameters) -> Parameters:
    """Replace a response type that authlib could not quote in its own error by one that is merely unknown."""
    response_type = parameters.get("response_type", "")
    return parameters if _WORDS.fullmatch(response_type) else {**parameters, "response_type": "unknown"}


def _require_supported(parameters: Parameters, grant: CodeGrant) -> None:
    redirect_uri = grant.redirect_uri
    for unsupported in ("request", "request_uri", "registration"):
        if unsupported in parameters:
            raise OAuth2Error(error=f"{unsupported}_not_supported", redirect_uri=redirect_uri)
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The only response_mode is query.", redirect_uri=redirect_uri)
    if not parameters.get("max_age", "0").isdecimal():
        raise InvalidRequestError("max_age is a number of seconds.", redirect_uri=redirect_uri)


def _asks_for_the_person(parameters: Parameters, grant: CodeGrant, person: SignedIn, now: datetime) -> bool:
    if grant.client.application_type == "native" or _ASKS_FOR_THE_PERSON & set(parameters.get("prompt", "").split()):
        return True
    max_age = parameters.get("max_age")
    return max_age is not None and now - person.signed_in_at > timedelta(seconds=min(int(max_age), 10**9))


def _sign_in_needed(grant: CodeGrant) -> SignInNeeded:
    client: Client = grant.client
    return SignInNeeded(client.name_zh, client.name_en, _source_expression(grant.redirect_uri))


def _from(answer: Answer, *, issuer: str) -> Redirect | Refused:
    if answer.location is None:
        return Refused(str(answer.body.get("error", "invalid_request")))
    return Redirect(add_params_to_uri(answer.location, [("iss", issuer)]))  # RFC 9207, in refusals too


def _source_expression(redirect_uri: str) -> str:
    """Give what `form-action` needs to let the form's answer go on to the client: browsers check redirects too."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else f"{parts.scheme}:"
