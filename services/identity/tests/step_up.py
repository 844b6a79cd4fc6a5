"""A person of tests who has proved two factors: a password, then a code to the phone."""

from uuid import UUID

from .front_end import PASSWORD, Tokens, answer_of, tokens_of
from .phones import Phones
from .provider import Provider


async def stronger(provider: Provider, phones: Phones, *roles: tuple[str, UUID]) -> Tokens:
    """Give the tokens (`acr` 2) of a new person with a phone and these roles."""
    person_id, username = await provider.open_person(*roles)
    return await by_code_too(provider, phones, username, await phones.give(person_id))


async def by_code_too(provider: Provider, phones: Phones, username: str, number: str) -> Tokens:
    """Sign somebody in by their password and a code to their phone."""
    front_end = provider.front_end()
    sent = await front_end.authorize(acr_values="2")
    page = await front_end.http.get(sent.headers["location"])
    missing = await front_end.submit(page, username=username, password=PASSWORD)
    asked = await front_end.http.get(missing.headers["location"])
    entering = await front_end.submit(asked, way="send")
    answer = answer_of(await front_end.submit(entering, code=await phones.code_to(number)))
    return tokens_of(await front_end.redeem(answer.parameters["code"]))
