"""Makes of what is kept of an item what is shown of it: its title, where it leads, and what can be done now."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.home.items import Action
from gateway.home.kinds import KINDS
from gateway.home.schemas import ActionOut, HomeItemOut
from gateway.subjects import kinds as subjects
from gateway.subjects.reading import Found, Key


def item_of(kept: Mapping[str, Any], now: datetime) -> HomeItemOut:
    """Give an item of a known kind as it is shown; `kept` has its columns, the name of its organisation and no more."""
    kind = KINDS[kept["kind"]]
    ids = {name: str(kept[name]) for name in ("subject_id", "organisation_id")}
    return HomeItemOut(
        **kept,
        section=kind.section,
        title=kind.titled(kept["facts"]).out(),
        href=f"{subjects.KINDS[kind.subject].path}/{kept['subject_id']}",
        actions=[
            _shown(action, ids) for action in kind.actions if action.when is None or action.when(kept["facts"], now)
        ],
        overdue=kept["due_at"] is not None and kept["due_at"] < now,
    )


def subject_of(item: HomeItemOut) -> Key:
    """Say what an item is about."""
    return KINDS[item.kind].subject, item.subject_id


def with_subjects(items: list[HomeItemOut], found: Found) -> list[HomeItemOut]:
    """Give the items with what they are about."""
    return [item.model_copy(update={"subject": found.data.get(subject_of(item))}) for item in items]


def _shown(action: Action, ids: Mapping[str, str]) -> ActionOut:
    return ActionOut(
        operation_id=action.operation_id,
        method=action.method,
        href=action.path.format_map(ids),
        body=None if action.body is None else dict(action.body),
        needs=list(action.needs),
    )
