"""From a command's commit to a projection's, through real servers."""

from typing import Any

from database import new_id


async def test_what_is_committed_reaches_the_projection_once_and_in_order(stage: Any) -> None:
    organisations = [new_id() for _ in range(50)]
    await stage.append(*[(stage.established(one), 1) for one in organisations])
    async with stage.running(stage.worker(stage.consumer())):
        await stage.append(*[(stage.renamed(one), 2) for one in organisations])
        await stage.append(*[(stage.moved(one), 3) for one in organisations])
        await stage.until_ledger(150)
    for one in organisations:
        assert [version for aggregate, version in await stage.ledger() if aggregate == one] == [1, 2, 3]
    assert [envelope.aggregateversion for envelope in await stage.stream()] == [1] * 50 + [2] * 50 + [3] * 50
