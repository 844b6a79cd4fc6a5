"""Shows that a data directory keeps its secrets, notices whose it is, and bounds its logs."""

import os
from pathlib import Path

import pytest

from standalone.data_directory import DataDirectory
from standalone.logs import keep_bounded
from standalone.refusals import CannotRun


def test_a_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = DataDirectory(tmp_path).secret("postgres")
    assert DataDirectory(tmp_path).secret("postgres") == first
    assert DataDirectory(tmp_path).secret("nats") != first
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_what_lies_where_a_secret_is_written_is_neither_used_nor_followed(tmp_path: Path) -> None:
    home, others = DataDirectory(tmp_path), tmp_path / "others"
    others.write_text("precious")
    planted = tmp_path / f"tokens.{os.getpid()}"
    planted.touch()
    planted.chmod(0o666)
    home.keep_token("member.demo", "first", good_until=60)
    assert (tmp_path / "tokens.json").stat().st_mode & 0o777 == 0o600
    planted.symlink_to(others)
    home.keep_token("member.demo", "second", good_until=60)
    assert (home.token("member.demo", now=0), others.read_text()) == ("second", "precious")


def test_a_directory_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(CannotRun, match=r"holds thesis\.docx"), DataDirectory(tmp_path).opened():
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.docx"]


def test_damaged_state_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(CannotRun, match=r"state\.json is damaged"):
        _ = DataDirectory(tmp_path).state


def test_a_log_that_grew_too_large_goes_on_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "members.log"
    with log.open("a") as writer:
        writer.write("old\n" * 100)
        writer.flush()
        keep_bounded(tmp_path, largest_bytes=100)
        writer.write("new\n")
    assert log.read_text() == "new\n"
    assert (tmp_path / "members.log.1").read_text() == "old\n" * 100


def test_damaged_tokens_are_no_tokens(tmp_path: Path) -> None:
    home = DataDirectory(tmp_path)
    (tmp_path / "tokens.json").write_text('{"member.demo": ["fi')
    assert home.token("member.demo", now=0) is None
    home.keep_token("member.demo", "second", good_until=60)
    assert home.token("member.demo", now=0) == "second"


def test_tokens_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "tokens.json").mkdir()
    with pytest.raises(CannotRun):
        DataDirectory(tmp_path).token("member.demo", now=0)
