"""A revision that a release adds says whether code of before runs on it, and holds nobody up while it is applied."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory

from contracts import SERVICES
from database import schema_window

ROOT = Path(__file__).resolve().parents[2]
SQUAWK = Path(sys.executable).with_name("squawk")
BEFORE_THE_WINDOW = {
    "activities": "0004",
    "feedback": "0006",
    "gateway": "0014",
    "identity": "0023",
    "learning": "0006",
    "members": "0006",
}
"""The last revision of each service that says nothing of itself; its code asks for exactly its own."""
NOT_ASKED = {
    "ban-drop-constraint": "a wider check takes the place of a narrower one; the test of the tables knows what is left",
    "require-lock-timeout": "every revision runs under one of two seconds, and is tried again",
    "require-statement-timeout": "what has its lock may take its time; other rules find what holds others up",
}


def configuration(service: str, output: io.StringIO | None = None) -> Config:
    config = Config(output_buffer=output)
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
    return config


def added(service: str) -> list[Script]:
    """Give the revisions since, oldest first."""
    script = ScriptDirectory.from_config(configuration(service))
    return list(script.iterate_revisions("head", BEFORE_THE_WINDOW.get(service, "base")))[::-1]


def findings(sql: str) -> list[str]:
    """Ask squawk what of it locks for long or breaks code that runs."""
    arguments = ["--pg-version", "18.0", "--reporter", "Json", "--exclude", ",".join(NOT_ASKED)]
    asked = subprocess.run([SQUAWK, *arguments], input=sql, capture_output=True, text=True, check=False)  # noqa: S603
    assert asked.returncode in (0, 1), asked.stderr
    found: list[dict[str, Any]] = json.loads(asked.stdout)
    return [f"{one['rule_name']}: {one['message']}" for one in found]


@pytest.mark.parametrize("service", SERVICES)
def test_a_revision_declares_its_phase_and_an_expanding_one_ends_no_code(service: str) -> None:
    line = [revision.revision for revision in added(service)]
    oldest = line[0]
    for revision in added(service):
        said = vars(revision.module)
        assert said.get("PHASE") in ("expand", "contract"), f"{revision.revision}: say PHASE"
        assert said.get("OLDEST_CODE") in line, f"{revision.revision}: say OLDEST_CODE, a revision of this line"
        if schema_window.is_contract(revision):
            assert line.index(said["OLDEST_CODE"]) >= line.index(oldest), f"{revision.revision} opens what was closed"
            oldest = said["OLDEST_CODE"]
        assert said["OLDEST_CODE"] == oldest, f"{revision.revision}: who expands says {oldest}, as the one before"


@pytest.mark.parametrize("service", SERVICES)
def test_a_revision_holds_nobody_up(service: str) -> None:
    for revision in added(service):
        output = io.StringIO()
        command.upgrade(configuration(service, output), f"{revision.down_revision}:{revision.revision}", sql=True)
        assert "UPDATE alembic_version" in output.getvalue()
        assert findings(output.getvalue()) == [], revision.revision


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("alter table feedback_case alter column text set not null;", "adding-not-nullable-field"),
        ("create index ix_case on feedback_case (text);", "require-concurrent-index-creation"),
        ("alter table feedback_case drop column text;", "ban-drop-column"),
        ("alter table feedback_case rename column text to words;", "renaming-column"),
    ],
)
def test_what_would_hold_others_up_is_found(sql: str, rule: str) -> None:
    assert [found.partition(":")[0] for found in findings(f"begin; {sql} commit;")] == [rule]
