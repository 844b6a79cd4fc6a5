"""What is kept of measurements: the newest figure of each name, and never one of another day in its place."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench import forward
from tests.bench.results import Result, keep, show


async def test_without_nginx_its_row_is_not_measured_and_no_earlier_one_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing: Any = None
    keep([Result("forward-nginx", 9_840, "requests/s", 30_100, 0.15), Result("relay", 1, "rows/s", 1, 0.7)], tmp_path)
    missing = await forward._beside_nginx(nothing, None, nothing, {})
    kept = {row["name"]: row for row in json.loads(keep(missing, tmp_path).read_text())}
    row = kept["forward-nginx"]
    assert (row["value"], row["ceiling"], row["ratio"], row["holds"]) == (None, None, None, None)
    assert kept["relay"]["holds"] is True
    show(missing)
    assert "no nginx here" in " ".join(capsys.readouterr().out.replace("│", " ").split())
