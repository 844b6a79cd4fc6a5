"""Work out new places of organisations from their parents: pure, nothing is read or written here."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

MAX_DEPTH = 64
"""Levels an organisation can stand at, the root being the first: what stands deeper has no path, so nobody sees it.

An index entry of PostgreSQL takes 2,704 bytes, and each level takes 37 of them in the path.
"""

_STEP = 37  # characters of an id in a path, with the slash behind it

Path = str
"""A slash, then from the root down to the organisation each id with a slash behind it."""


class Placed(NamedTuple):
    """An organisation as it is stored: its parent, and the path it has so far."""

    parent_id: UUID | None
    path: Path | None


class Change(NamedTuple):
    """An organisation whose path changes.

    `kept` counts the last ids of the path that are the same before and after, because no link between them changed; it
    is 0 where there was no path or is none any more.
    """

    organisation_id: UUID
    was: Path | None
    now: Path | None
    kept: int

    @property
    def left(self) -> Path | None:
        """The part of the old path that is not kept."""
        return self.was and self.was[: len(self.was) - self.kept * _STEP]

    @property
    def joined(self) -> Path | None:
        """The part of the new path that is not kept."""
        return self.now and self.now[: len(self.now) - self.kept * _STEP]


def ids_of(path: Path | None) -> list[str]:
    """Give the ids in a path, root first; none where there is none."""
    return path[1:-1].split("/") if path and len(path) > 1 else []


def changes(
    affected: Mapping[UUID, Placed], moved: Collection[UUID], parents: Mapping[UUID, Path | None]
) -> Iterator[Change]:
    """Give every change of a path in `affected`: the `moved` organisations and all below them, by their new parents.

    `parents` has the paths of parents outside `affected`. What cannot be reached from them or from a root hangs on an
    unknown organisation or in a cycle: it has no path until an event heals that.
    """
    children: dict[UUID, list[UUID]] = {}
    reached: list[tuple[UUID, Path, int]] = []
    for organisation_id, (parent_id, _) in affected.items():
        if parent_id is None:
            reached.append((organisation_id, "/", 1))
        elif parent_id in affected:
            children.setdefault(parent_id, []).append(organisation_id)
        elif above := parents.get(parent_id):
            reached.append((organisation_id, above, 1))
    found: dict[UUID, tuple[Path, int]] = {}
    while reached:
        organisation_id, above, kept = reached.pop()
        path = f"{above}{organisation_id}/"
        if len(path) > MAX_DEPTH * _STEP + 1:
            continue
        found[organisation_id] = path, kept
        reached += [(child, path, 1 if child in moved else kept + 1) for child in children.get(organisation_id, ())]
    for organisation_id, (_, was) in affected.items():
        now, kept = found.get(organisation_id, (None, 0))
        if now != was:
            yield Change(organisation_id, was, now, kept if was and now else 0)
