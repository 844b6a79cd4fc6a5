"""What a browser gets by a decision on an authorization request."""

from starlette.responses import Response

from identity.oauth.authorization import ConsentNeeded, Decision, Redirect, Refused, StepUpNeeded
from identity.pages.addresses import CONSENT, SIGN_IN, page_address
from identity.pages.rendering import go_to, refused
from identity.pages.requests import Parameters
from webapi.languages import Language


def answer_to(language: Language, parameters: Parameters, decision: Decision) -> Response:
    """Do what was decided on an authorization request."""
    match decision:
        case Redirect(location):
            return go_to(location)
        case Refused(error):
            return refused(language, error)
        case StepUpNeeded(page=page):
            return go_to(page_address(page, parameters))
        case ConsentNeeded():
            return go_to(page_address(CONSENT, parameters))
    return go_to(page_address(SIGN_IN, parameters))
