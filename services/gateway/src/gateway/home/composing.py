"""Makes of what is kept of an item what is shown of it: its title, where it leads, and what can be done now.

Items are dicts in the form of `HomeItemOut`, written as they are: models of them cost more than all else here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from gateway.home.items import Action
from gateway.home.kinds import KINDS
from gateway.subjects import kinds as subjects
from gateway.subjects.reading import Found, Key
from gateway.supervision.staleness import Stale


def item_of(kept: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Give an item of a known kind as it is shown; `kept` has its columns and the name of its organisation."""
    kind = KINDS[kept["kind"]]
    subject_id, organisation_id = str(kept["subject_id"]), str(kept["organisation_id"])
    facts, due_at = orjson.loads(kept["facts"]), kept["due_at"]
    title = kind.titled(facts)
    return {
        "key": kept["key"],
        "kind": kind.name,
        "section": kind.section,
        "title": {"zh": title.zh, "en": title.en},
        "subject_id": subject_id,
        "href": f"{subjects.KINDS[kind.subject].path}/{subject_id}",
        "actions": [
            _shown(action, {**facts, "subject_id": subject_id, "organisation_id": organisation_id})
            for action in kind.actions
            if action.when is None or action.when(facts, now)
        ],
        "organisation_id": organisation_id,
        "organisation_name": kept["organisation_name"],
        "since": kept["since"],
        "due_at": due_at,
        "overdue": due_at is not None and due_at < now,
        "facts": facts,
        "subject": None,
    }


def subject_of(item: Mapping[str, Any]) -> Key:
    """Say what an item is about."""
    return KINDS[item["kind"]].subject, UUID(item["subject_id"])


def with_subjects(items: Sequence[dict[str, Any]], found: Found) -> list[dict[str, Any]]:
    """Give the items with what they are about."""
    return [{**item, "subject": found.data.get(subject_of(item))} for item in items]


def written(
    items: Sequence[dict[str, Any]], next_cursor: str | None, incomplete: Sequence[str], stale: Sequence[Stale]
) -> bytes:
    """Write a part of a home as JSON, in the form of `HomeItemPage`."""
    page = {"items": items, "next_cursor": next_cursor, "incomplete": incomplete, "stale": stale}
    return orjson.dumps(page, Stale.model_dump, orjson.OPT_UTC_Z)


def _shown(action: Action, known: Mapping[str, Any]) -> dict[str, Any]:
    body = action.body and {name: value.format_map(known) for name, value in action.body.items()}
    return {
        "operation_id": action.operation_id,
        "method": action.method,
        "href": action.path.format_map(known),
        "body": body,
        "needs": action.needs,
    }
