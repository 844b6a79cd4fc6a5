"""A service that fails, however it does, takes nothing else with it, is told of, and is let in again once it works."""

import asyncio

import pytest

from gateway.edge.deadlines import READ_SECONDS
from gateway.supervision.capabilities import CAPABILITIES
from tests.faults import broken
from tests.faults.province import BEHIND, KINDS, Answered, Kind, Province, Times, opened
from tests.faults.stage import until
from tests.faults.town import Town
from tests.faults.tree import TOWNSHIP

IN_SHORT = "learning"
TOLD_SECONDS = 60.0
"""It takes 15 where a core is free; other tests work beside this one."""
LATE_SECONDS = 1.5
"""What a busy machine may add to an answer."""
MOST_RATIO = 1.5
LEAST_TIMES, MOST_TIMES = 120, 600
"""How many requests say how the others do."""


async def outlive(province: Province, service: str, kind: Kind, well: Times) -> None:
    """Let a service fail and work again while people ask it, and see how the rest does; `well` are times of before."""
    others, ill = [name for name in BEHIND if name != service], Times()
    async with province.callers(service) as answers:
        async with province.timed(others, well):
            await well.until(len(well.through) + LEAST_TIMES)
        assert {each.status for each in answers} == {200}

        async def answers_again() -> bool:
            return answers[-1].status == 200 and await named(province) == set()

        try:
            await province.break_down(service, kind)
            broke = len(answers)
            async with province.timed(others, ill):
                async with asyncio.timeout(TOLD_SECONDS):
                    while not (is_turned_away(answers[-1]) and await named(province) == {service}):
                        await asyncio.sleep(0.1)
                left_out = len(answers)
                for enough in (LEAST_TIMES, MOST_TIMES):  # more where noise makes it look slow
                    await ill.until(enough)
                    if ill.beside(well) <= MOST_RATIO:
                        break
            ended = len(answers)
        finally:
            await province.mend(service, kind)
        await until(answers_again)
    assert [each for each in answers[broke:ended] if each.seconds > READ_SECONDS + LATE_SECONDS] == []
    assert [each for each in answers[left_out:ended] if not is_turned_away(each)] == []
    print(f"{service} {kind}: {ill.beside(well):.2f} after {len(ill.through)}")  # noqa: T201 - shown with a failure
    assert ill.beside(well) <= MOST_RATIO


def is_turned_away(answer: Answered) -> bool:
    """Say whether somebody was told at once when to come again."""
    return answer.status == 503 and answer.retry_after is not None and answer.seconds < LATE_SECONDS


async def named(province: Province) -> set[str]:
    """Give the services of which people are told that they fail; home and overview answer, and say the same."""
    told = [await province.get(path) for path in ("/v1/home", f"/v1/overview/{TOWNSHIP}")]
    status = await province.get("/v1/status")
    down = [each for each in status["capabilities"] if each["condition"] == "down"]
    assert all(each["instead"]["zh"] and each["title"]["zh"] in status["summary"]["zh"] for each in down)
    failing = {CAPABILITIES[each["capability"]].service for each in down}
    return failing.intersection(*({each["service"] for each in page["stale"]} for page in told))


async def test_one_service_fails_in_every_way_and_the_others_do_not_mind(whole_town: Town) -> None:
    well = Times()
    async with opened(whole_town) as province:
        for kind in KINDS:
            await outlive(province, IN_SHORT, kind, well)


@pytest.mark.fault
@pytest.mark.parametrize("service", [name for name in BEHIND if name != IN_SHORT])
async def test_each_service_fails_in_every_way_and_the_others_do_not_mind(whole_town: Town, service: str) -> None:
    well = Times()
    async with opened(whole_town) as province:
        for kind in KINDS:
            await outlive(province, service, kind, well)


@pytest.mark.fault
async def test_without_breakers_a_frozen_service_holds_whoever_asks_it(whole_town: Town) -> None:
    async with opened(whole_town, broken.door_leaves_nobody_out) as province:
        with pytest.raises(ExceptionGroup) as failed:
            await outlive(province, IN_SHORT, "frozen", Times())
    assert failed.value.subgroup(TimeoutError) is not None, "nobody is turned away"
