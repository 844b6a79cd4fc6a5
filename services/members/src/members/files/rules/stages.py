"""The stages of admission, one after the other."""

from datetime import date

from members.rulesets import RULES
from rulebook import Parameters


class AdmissionStages(Parameters):
    """The stages of admission, first to last."""

    order: tuple[str, ...]


STAGES = RULES.rule("admission_stages", AdmissionStages)


def check_stage_change(present: str, wanted: str, today: date) -> None:
    """Raise `Refused` unless the stage stays or is the next in order."""
    version = STAGES.as_of(today)
    order = version.parameters.order
    if wanted != present and order.index(wanted) != order.index(present) + 1:
        raise version.refused(
            "one_step_forward",
            zh="发展阶段须逐级推进",
            en="A stage is followed by the next one in order",
            present=present,
            wanted=wanted,
        )
