"""What feedback tells of its cases anew is what it told of them last."""

from database import Database
from feedback.cases.telling import TOLD
from orgtree import ROOT_ID
from testkit.county import BRANCH, COUNTY, County
from testkit.forgetting import tellings

from .cases import assign_roads, opened


async def test_each_case_is_told_as_it_was_told_last(county: County, database: Database) -> None:
    await assign_roads(county.person(("registrar", ROOT_ID)))
    reporter, officer = await county.member(BRANCH), county.person(("branch_secretary", COUNTY))
    paths = [f"/cases/{(await opened(reporter))['case_id']}" for _ in range(3)]
    for path in paths[1:]:
        etag = (await officer.get(path)).headers["etag"]
        answer = await officer.post(f"{path}/answers", {"text": "已修好。"}, if_match=etag)
        assert answer.status_code in {200, 201}, answer.text
    etag = (await reporter.get(paths[2])).headers["etag"]
    assert (await reporter.post(f"{paths[2]}/confirmation", if_match=etag)).status_code == 200
    paged, by_id, published = await tellings(database, TOLD)
    assert {event.status for event, *_ in published.values()} == {"open", "answered", "confirmed"}  # type: ignore[attr-defined]
    assert paged == by_id == published
