"""What a measurement says, and how it is shown and kept."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Result:
    """One figure beside its ceiling.

    `ratio` is value ÷ ceiling. `bar` is the ratio to reach (`at_least`) or to stay under (`at_most`); without one the
    figure is for reading only and `holds` is None. A value of None was not measured; `note` says why.
    """

    name: str
    value: float | None
    unit: str
    ceiling: float | None = None
    bar: float | None = None
    sense: Literal["at_least", "at_most"] = "at_least"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value ÷ ceiling, or None where one of them is missing."""
        return None if not self.ceiling or self.value is None else self.value / self.ceiling

    @property
    def holds(self) -> bool | None:
        """Whether the bar is reached; None where there is none."""
        if self.bar is None or self.ratio is None:
            return None
        return self.ratio >= self.bar if self.sense == "at_least" else self.ratio <= self.bar


def show(results: Sequence[Result]) -> None:
    """Print the table."""
    table = Table("name", "value", "unit", "ceiling", "ratio", "bar", "holds", "what it is", title="Measurements")
    for result in results:
        sign = "≥" if result.sense == "at_least" else "≤"
        table.add_row(
            result.name,
            "–" if result.value is None else _number(result.value),
            result.unit,
            "–" if result.ceiling is None else _number(result.ceiling),
            "–" if result.ratio is None else f"{result.ratio:.3f}",
            "–" if result.bar is None else f"{sign} {result.bar}",
            {None: "–", True: "yes", False: "NO"}[result.holds],
            result.note,
        )
    Console(width=max(100, Console().width)).print(table)


def keep(results: Sequence[Result], folder: Path) -> Path:
    """Write `bench.json`: earlier figures of other names stay, those measured now are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bench.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    fresh = [asdict(result) | {"ratio": result.ratio, "holds": result.holds} for result in results]
    names = {result.name for result in results}
    kept = [row for row in known if row["name"] not in names] + fresh
    scratch = path.with_suffix(".part")
    scratch.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(scratch, path)  # noqa: PTH105 - the atomic rename of the part file
    return path


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"
