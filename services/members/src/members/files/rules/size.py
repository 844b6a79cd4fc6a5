"""How many members a branch may have."""

from datetime import date

from pydantic import Field

from members.files.rules.counts import Counts
from members.rulesets import RULES
from rulebook import Parameters


class BranchSize(Parameters):
    """A branch has at most `largest` members in the `counted_stages`."""

    largest: int = Field(ge=1)
    counted_stages: frozenset[str]


BRANCH_SIZE = RULES.rule("branch_size", BranchSize)


def check_size(counts: Counts, today: date) -> None:
    """Raise `Refused` for a branch with more members than a branch may have."""
    version = BRANCH_SIZE.as_of(today)
    rule = version.parameters
    if sum(counts.stages.get(stage, 0) for stage in rule.counted_stages) > rule.largest:
        raise version.refused(
            "largest",
            zh=f"党支部党员人数一般不超过{rule.largest}人",
            en=f"A branch has at most {rule.largest} members",
            largest=rule.largest,
        )
