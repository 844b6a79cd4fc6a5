"""Brings organisations and members in through the public import, up to a thousand rows in a request."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from standalone.seed.api import Api, RequestRefused, few_at_a_time
from standalone.seed.people import People, Person
from standalone.seed.progress import Watcher
from standalone.seed.tree import ROOT_ID, Branch, Organisation, Plan

ROWS_AT_A_TIME = 1_000
REQUESTS_AT_ONCE = 3

_KEPT = {"taken", "on_file"}
"""What the import says of rows that are there and were changed since, by people who work with the demonstration."""


@dataclass
class Loaded:
    """How many rows were new, were there already, and are there with other contents and were left as they are."""

    added: int = 0
    unchanged: int = 0
    kept: int = 0


class Batch(NamedTuple):
    """Rows of one request, and how many parts of the progress they are."""

    rows: list[dict[str, Any]]
    parts: int


async def load_organisations(registrar: Api, plan: Plan, watcher: Watcher) -> Loaded:
    """Name the root and establish the plan's organisations, level by level. Raises `RequestRefused`."""
    watcher.begin("organisations", sum(map(len, plan.levels)))
    name = {"name": plan.root_name, "division_code": plan.root_code}
    await registrar.post(f"/v1/organisations/{ROOT_ID}/renames", name, heard=False)
    loaded = Loaded()
    for level in plan.levels:
        await _load(registrar, "/v1/organisation-imports", _organisation_batches(level), loaded, watcher)
    return loaded


async def load_members(registrar: Api, branches: Sequence[Branch], generator: People, watcher: Watcher) -> Loaded:
    """Enrol the members of these branches; progress counts branches. Raises `RequestRefused`."""
    watcher.begin("members of branches", len(branches))
    loaded = Loaded()
    await _load(registrar, "/v1/member-imports", _member_batches(branches, generator), loaded, watcher)
    return loaded


async def _load(registrar: Api, path: str, batches: Iterable[Batch], loaded: Loaded, watcher: Watcher) -> None:
    async def send(batch: Batch) -> None:
        rows = batch.rows
        try:
            answer = await registrar.post(path, {"rows": rows})
        except RequestRefused as refused:
            rows = _without_kept(rows, refused)
            loaded.kept += len(batch.rows) - len(rows)
            answer = await registrar.post(path, {"rows": rows}) if rows else {"added": 0, "unchanged": 0}
        loaded.added += answer["added"]
        loaded.unchanged += answer["unchanged"]
        watcher.advance(batch.parts)

    await few_at_a_time(batches, send, at_once=REQUESTS_AT_ONCE)


def _without_kept(rows: Sequence[dict[str, Any]], refused: RequestRefused) -> list[dict[str, Any]]:
    """Leave out the rows that are there with other contents; raises the refusal again when there are other errors."""
    errors = refused.problem.get("rows", [])
    if refused.code != "rows_refused" or any(error["requirement"] not in _KEPT for error in errors):
        raise refused
    kept = {error["row"] for error in errors}
    return [row for number, row in enumerate(rows, start=1) if number not in kept]


def _organisation_batches(level: Sequence[Organisation]) -> Iterator[Batch]:
    for start in range(0, len(level), ROWS_AT_A_TIME):
        rows = [_organisation_row(organisation) for organisation in level[start : start + ROWS_AT_A_TIME]]
        yield Batch(rows, len(rows))


def _organisation_row(organisation: Organisation) -> dict[str, Any]:
    row = organisation._asdict()
    return row | {field: str(row[field]) for field in ("organisation_id", "parent_id")}


def _member_batches(branches: Iterable[Branch], generator: People) -> Iterator[Batch]:
    """Fill requests with whole branches, made as they are needed."""
    rows: list[dict[str, Any]] = []
    parts = 0
    for branch in branches:
        members = branch.people(generator)
        if len(rows) + len(members) > ROWS_AT_A_TIME:
            yield Batch(rows, parts)
            rows, parts = [], 0
        rows += [_member_row(branch, person) for person in members]
        parts += 1
    if rows:
        yield Batch(rows, parts)


def _member_row(branch: Branch, person: Person) -> dict[str, Any]:
    row = {name: value for name, value in asdict(person).items() if name != "age"}
    return row | {"person_id": str(person.person_id), "organisation_id": str(branch.organisation.organisation_id)}
