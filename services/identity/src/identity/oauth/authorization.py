"""The authorization endpoint's decision: send a code, ask the person to sign in or to agree, or refuse."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidRequestError, OAuth2Error
from authlib.oidc.core.errors import ConsentRequiredError, InteractionRequiredError, LoginRequiredError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from identity.clients.tables import Client
from identity.factors.required import Step, next_step
from identity.levels import SignedIn, wanted_level
from identity.oauth.consents import scopes_let
from identity.oauth.grants import CodeGrant
from identity.oauth.proofs import is_thumbprint
from identity.oauth.provider import Provider
from identity.oauth.requests import ProviderRequest
from identity.oauth.resources import InvalidTargetError, requested_resources
from identity.oauth.server import CODE, with_provider
from identity.oauth.waiting_requests import PATIENCE, request_hash
from identity.pages.addresses import CONSENT, SIGN_IN, page_address
from identity.pages.html import go_to, refused
from identity.pages.requests import Parameters
from identity.shared import IdentityShared, TokenParties
from webapi.languages import Language

_ASKS_FOR_THE_PERSON = {"login", "select_account"}
_WORDS = re.compile(r"[a-z_ ]{1,64}")


class Redirect(NamedTuple):
    """Send the browser to the client, with a code or with the reason why there is none."""

    location: str


class PageNeeded(NamedTuple):
    """Ask the person on `page`: to sign in, for what is missing yet, or whether the client may have these scopes.

    The page's form may lead on to `target`, as a CSP source expression.
    """

    page: str
    client_id: str
    name_zh: str
    name_en: str
    scopes: Sequence[str]
    target: str

    def client_name(self, language: Language) -> str:
        """Give the client's name."""
        return self.name_en if language == "en" else self.name_zh


class Refused(NamedTuple):
    """Show the refusal: no address to answer at could be trusted."""

    error: str


Decision = Redirect | PageNeeded | Refused


class UnmetAuthenticationRequirements(OAuth2Error):  # type: ignore[misc]  # authlib has no types
    """The person cannot prove who they are as strongly as the client wants (RFC 9470, section 5)."""

    error = "unmet_authentication_requirements"


def decide(
    provider: Provider,
    parameters: Parameters,
    person: SignedIn | None,
    *,
    just_now: bool,
    agreed: bool | None = None,
    step: Step | None = None,
) -> Decision:
    """Decide on an authorization request.

    `just_now` says that the person proved who they are in answer to this very request. A native application is always
    answered that way only: anybody on the machine could be listening at its address, and a silent redirect would give
    a code to a program the person never meant to start (RFC 8252, section 8.6). `agreed` says whether they let the
    client have what this request asks for, None that they were not asked; `step` what they still have to prove.
    """
    request = ProviderRequest("GET", f"{provider.parties.issuer}/oauth2/authorize", _readable(parameters))
    try:
        grant: CodeGrant = provider.get_consent_grant(request, end_user=person)
        _require_supported(parameters, grant, provider.parties)
        again = not just_now and (person is None or _asks_for_the_person(parameters, person, provider.now))
        if step is not None and not again:
            return _step_up_needed(parameters, grant, step)
        if again or (not just_now and grant.client.application_type == "native"):
            if parameters.get("prompt") == "none":
                wanted = LoginRequiredError if person is None else InteractionRequiredError
                raise wanted(redirect_uri=grant.redirect_uri)
            return _needed(SIGN_IN, grant)
        if agreed is False:
            raise AccessDeniedError(redirect_uri=grant.redirect_uri)
        if agreed is None and person is not None and _asks_for_consent(provider, parameters, grant, person):
            if parameters.get("prompt") == "none":
                raise ConsentRequiredError(redirect_uri=grant.redirect_uri)
            return _needed(CONSENT, grant)
        answer = provider.create_authorization_response(request, grant_user=person, grant=grant)
    except OAuth2Error as error:
        error.state = parameters.get("state")
        answer = provider.refusal(error)
    if answer.location is None:
        return Refused(str(answer.body.get("error", "invalid_request")))
    return Redirect(add_params_to_uri(answer.location, [("iss", provider.parties.issuer)]))  # RFC 9207, in refusals too


async def decide_for(
    shared: IdentityShared,
    session: AsyncSession,
    parameters: Parameters,
    person: SignedIn | None,
    *,
    just_now: bool,
    agreed: bool | None = None,
    now: datetime,
) -> Decision:
    """Take `decide` inside `session`; what it gives away is given when the session commits."""
    wanted = wanted_level(parameters.get("acr_values"))
    step = await next_step(session, person, wanted, now=now) if person else None

    def run(provider: Provider) -> Decision:
        return decide(provider, parameters, person, just_now=just_now, agreed=agreed, step=step)

    return await with_provider(shared, session, run, grants=[CODE], now=now)


def may_still_agree(parameters: Parameters, person: SignedIn, *, now: datetime) -> bool:
    """Say whether the person's sign-in is good for this request on a page that comes after the sign-in page.

    It is when they signed in for this very request, a moment ago, or when the request does not demand a new sign-in.
    """
    if person.waiting_request == request_hash(parameters) and now - person.signed_in_at <= PATIENCE:
        return True
    return not _asks_for_the_person(parameters, person, now)


def _readable(parameters: Parameters) -> Parameters:
    """Replace a response type that authlib could not quote in its own error by one that is merely unknown."""
    response_type = parameters.get("response_type", "")
    return parameters if _WORDS.fullmatch(response_type) else {**parameters, "response_type": "unknown"}


def _require_supported(parameters: Parameters, grant: CodeGrant, parties: TokenParties) -> None:
    redirect_uri = grant.redirect_uri
    for unsupported in ("request", "request_uri", "registration"):
        if unsupported in parameters:
            raise OAuth2Error(error=f"{unsupported}_not_supported", redirect_uri=redirect_uri)
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequestError("The only response_mode is query.", redirect_uri=redirect_uri)
    if not parameters.get("max_age", "0").isdecimal():
        raise InvalidRequestError("max_age is a number of seconds.", redirect_uri=redirect_uri)
    if "dpop_jkt" in parameters and not is_thumbprint(parameters["dpop_jkt"]):
        raise InvalidRequestError("dpop_jkt is the thumbprint of a key.", redirect_uri=redirect_uri)
    try:
        requested_resources(parameters.get("resource"), parties)
    except InvalidTargetError as error:
        error.redirect_uri = redirect_uri
        raise


def _asks_for_the_person(parameters: Parameters, person: SignedIn, now: datetime) -> bool:
    if _ASKS_FOR_THE_PERSON & set(parameters.get("prompt", "").split()):
        return True
    max_age = parameters.get("max_age")
    if max_age is None or not max_age.isdecimal():  # which the request is refused for
        return max_age is not None
    return now - person.signed_in_at > timedelta(seconds=min(int(max_age), 10**9))


def _step_up_needed(parameters: Parameters, grant: CodeGrant, step: Step) -> PageNeeded:
    if not step.reachable:
        raise UnmetAuthenticationRequirements(redirect_uri=grant.redirect_uri)
    if parameters.get("prompt") == "none":
        raise InteractionRequiredError(redirect_uri=grant.redirect_uri)
    return _needed(step.page, grant)


def _needed(page: str, grant: CodeGrant) -> PageNeeded:
    client: Client = grant.client
    target = source_expression(grant.redirect_uri)
    return PageNeeded(page, client.client_id, client.name_zh, client.name_en, _scopes_of(grant), target)


def _asks_for_consent(provider: Provider, parameters: Parameters, grant: CodeGrant, person: SignedIn) -> bool:
    if "consent" in parameters.get("prompt", "").split():
        return True
    client: Client = grant.client
    if client.first_party:
        return False
    let = provider.session.scalar(scopes_let(person.account_id, client.client_id))
    return let is None or not set(_scopes_of(grant)) <= set(let)


def _scopes_of(grant: CodeGrant) -> Sequence[str]:
    scope: str = grant.request.scope
    return scope.split()


def source_expression(redirect_uri: str) -> str:
    """Give what `form-action` needs to let the form's answer go on to the client: browsers check redirects too."""
    shared = urlsplit(redirect_uri)
    return f"{shared.scheme}://{shared.netloc}" if shared.scheme in {"http", "https"} else f"{shared.scheme}:"


def answer_to(language: Language, parameters: Parameters, decision: Decision) -> Response:
    """Do what was decided on an authorization request."""
    match decision:
        case Redirect(location):
            return go_to(location)
        case Refused(error):
            return refused(language, error)
        case PageNeeded(page=page):
            return go_to(page_address(page, parameters))
