"""The API killed between the commit of a command and its answer: the client sends again, and it takes effect once."""

import random

from tests.faults import books, broken
from tests.faults.broken import Breakage
from tests.faults.conftest import until_dead
from tests.faults.ledger import Client
from tests.faults.town import Town, started

COMMANDS = 60
DEATH_AT = "5"


async def kill_api_before_response(town: Town, *breakages: Breakage) -> list[str]:
    """Fault 1: kill -9 after the commit of a command, before its answer; a second API takes what is sent again."""
    dying = town.process(
        "feedback",
        "api",
        breakages=(broken.api_dies_before_response, *breakages),
        **{broken.DEATH_AT: DEATH_AT},
    )
    other = town.process("feedback", "api", breakages=breakages)
    client = Client([dying.url, other.url], town.issuer)
    async with started(dying, other):
        await client.work(COMMANDS, random.Random(1))  # noqa: S311 - no secret
        await until_dead(dying)
    await client.close()
    assert any(why.startswith("answer lost") for why in client.ledger.sent_again)
    found, _ = await books.of_feedback(client.ledger, town.addresses.feedback)
    return found


async def test_a_command_whose_answer_died_with_the_api_takes_effect_once(town: Town) -> None:
    assert await kill_api_before_response(town) == []


async def test_without_idempotency_keys_a_command_whose_answer_died_is_refused_though_it_took_effect(
    town: Town,
) -> None:
    found = await kill_api_before_response(town, broken.api_forgets_keys)
    assert any("in the outbox, and never accepted" in one for one in found)
