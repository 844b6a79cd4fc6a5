"""The prose of pages is wrapped, so that a change shows which sentence changed."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 140


def too_long(text: str) -> Iterator[int]:
    """Give the numbers of lines of prose that are longer; tables and code have lines as long as they need."""
    code = False
    for number, line in enumerate(text.splitlines(), start=1):
        code ^= line.lstrip().startswith("```")
        if len(line) > LONGEST and not code and not line.startswith("|"):
            yield number


def test_no_line_of_a_pages_prose_is_too_long() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    pages = listed.stdout.splitlines()
    assert len(pages) > 30
    assert {page: lines for page in pages if (lines := list(too_long((ROOT / page).read_text("utf-8"))))} == {}


def test_a_long_line_would_be_found() -> None:
    text = f"{'word ' * 30}\n|{'cell |' * 40}\n```\n{'code ' * 40}\n```\n{'word ' * 30}"
    assert list(too_long(text)) == [1, 6]


def test_each_decision_has_a_number_of_its_own() -> None:
    names = [page.name for page in sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))]
    numbers = [name.partition("-")[0] for name in names]
    assert sorted(set(numbers)) == numbers, [name for name in names if numbers.count(name.partition("-")[0]) > 1]
    for page in (ROOT / "docs/decisions").glob("[0-9]*.md"):
        assert page.read_text("utf-8").startswith(f"# {int(page.name.partition('-')[0])}. "), page.name
