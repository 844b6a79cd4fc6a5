"""The next release of feedback, which a test rolls to: a copy of this one with what a release may add."""

import os
import shutil
from pathlib import Path

from tests.faults.town import ROOT

_APP = "feedback/app.py"
_ADDED = (
    ("feedback/cases/tables.py", "    confirmed_at: Mapped[datetime | None]\n", "    urgent: Mapped[bool | None]\n"),
    (
        "contracts/feedback/case.py",
        "    answered_at: AwareDatetime | None = None\n",
        "    urgent: bool | None = None\n",
    ),
    (_APP, "import router as cases_router\n", "from feedback.cases.urgency import router as urgency_router\n"),
    (_APP, "routers=(cases_router, ", "urgency_router, "),
)
"""Files of a release, what stands in them, and what the next one has after it."""


def lay(folder: Path) -> str:
    """Lay out the next release in a folder; gives the PYTHONPATH that puts it before the present one."""
    service, source = folder / "feedback", folder / "feedback" / "src"
    shutil.copytree(ROOT / "services" / "feedback", service, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    shutil.copytree(ROOT / "libs" / "contracts" / "src", source, dirs_exist_ok=True)
    shutil.copytree(ROOT / "tests" / "upgrade" / "feedback_next", service, dirs_exist_ok=True)
    for name, present, added in _ADDED:
        file = source / name
        text = file.read_text()
        assert text.count(present) == 1, f"{name} has another shape by now"
        file.write_text(text.replace(present, present + added))
    return os.pathsep.join((str(source), str(ROOT)))
