"""No file of code is longer than can be read at a sitting: past 400 lines it is split, by feature."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KINDS = {".py", ".ts", ".tsx", ".js", ".mjs", ".css"}
OF_OTHERS = {"node_modules", "__pycache__", "build", "dist"}
MOST_LINES = 400


def files_below(folder: Path) -> Iterator[Path]:
    """Give the code below a folder, without what begins with a dot and what others wrote."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in OF_OTHERS:
            continue
        if entry.is_dir():
            yield from files_below(entry)
        elif entry.suffix in KINDS:
            yield entry


def too_long(folder: Path) -> list[str]:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in files_below(folder)}
    assert lengths
    return [f"{file.relative_to(folder)}: {lines} lines" for file, lines in lengths.items() if lines > MOST_LINES]


def test_no_file_of_code_is_over_400_lines() -> None:
    assert too_long(ROOT) == []


def test_a_file_of_401_lines_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "feature").mkdir()
    (tmp_path / "feature" / "long.mjs").write_text("x\n" * 401)
    (tmp_path / "feature" / "short.py").write_text("x\n" * 400)
    assert too_long(tmp_path) == ["feature/long.mjs: 401 lines"]
