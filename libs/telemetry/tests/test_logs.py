"""A log line holds an event's name, ids and numbers; a person's data cannot get in, whichever way it is tried."""

import enum
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import telemetry
from telemetry.logs import JsonLines, _make_record
from telemetry.privacy import public_fields

PHONE, NAME, CITIZEN = "13812345678", "张三", "110101199003074514"
ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
Written = Callable[[], list[dict[str, Any]]]


class Stage(enum.Enum):
    """What stands in the code is no secret."""

    OPENED = "opened"


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("orchard.test")
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_make_record)
    yield logger
    logging.setLogRecordFactory(factory)
    logger.handlers.clear()


@pytest.fixture
def written(log: logging.Logger) -> Written:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("orchard"))
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_with_ids_and_numbers_is_one_line(log: logging.Logger, written: Written) -> None:
    log.info("tree_planted", extra={"tree_id": ID, "height": 3, "stage": Stage.OPENED, "consumer": "orchard-trees"})
    [line] = written()
    assert datetime.fromisoformat(line.pop("ts")).tzinfo is not None
    assert line == {
        "level": "info",
        "event": "tree_planted",
        "service": "orchard",
        "logger": "orchard.test",
        "tree_id": str(ID),
        "height": 3,
        "stage": "OPENED",
        "consumer": "orchard-trees",
    }


def test_a_sentence_put_together_at_run_time_is_withheld(log: logging.Logger, written: Written) -> None:
    log.info(f"planted by {NAME}")  # noqa: G004 - what must not be done
    log.info("planted by " + NAME)  # noqa: G003 - what must not be done
    log.info(NAME)
    for line in written()[:2]:
        assert line["event"] == "text_withheld"
        assert line["at"].startswith("test_logs:")
    assert NAME not in json.dumps(written()[:2], ensure_ascii=False)
    assert written()[2]["event"] == "text_withheld"


def test_a_foreign_librarys_sentence_keeps_its_words_and_its_numbers_alone(
    log: logging.Logger, written: Written
) -> None:
    log.warning("retry %d of %s for %s", 3, NAME, ID)
    log.warning("%(phone)s called", {"phone": PHONE})
    first, second = written()
    assert (first["event"], first["args"]) == ("retry %d of %s for %s", [3, "withheld", str(ID)])
    assert (second["event"], second["args"]) == ("%(phone)s called", [])


@pytest.mark.parametrize(
    "extra",
    [
        {"title": "meeting"},
        {"phone": 5},
        {"display_name": ID},
        {"remark": None},
        {"reason": NAME},
        {"reason": "he said so"},
        {"tree_id": PHONE},
        {"tree_id": CITIZEN},
        {"tree_id": "a@b.cn"},
        {"count": int(PHONE)},
        {"count": int(CITIZEN)},
        {"count": [1, int(PHONE)]},
        {"colour": "red"},
        {"born_on": date(1990, 3, 7)},
        {"seen_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - naive on purpose
        {"tree": {"phone": PHONE}},
        {"tree": object()},
        {"error": ValueError(NAME)},
        {"ids": ["x"] * 51},
        {"Tree": 1},
    ],
)
def test_what_is_no_id_number_or_code_is_withheld_and_named(
    log: logging.Logger, written: Written, extra: dict[str, Any]
) -> None:
    log.info("tree_planted", extra=extra)
    [line] = written()
    [key] = extra
    assert line["withheld"] == [key if key.islower() else "?"]
    assert key not in line


def test_what_is_public_is_shown() -> None:
    shown = public_fields(
        {
            "seen_at": datetime(2026, 1, 1, tzinfo=UTC),
            "waited": timedelta(seconds=1.5),
            "failed": True,
            "error_type": KeyError,
            "subject": "evt.members.p03.organisation.01890a5d-ac96-774b-bcce-b302099a8057",
            "route": "/v1/trees/{tree_id}",
            "tree_ids": [ID, ID],
            "share": 0.25,
            "nothing": None,
        }
    )
    assert "withheld" not in shown
    assert (shown["waited"], shown["error_type"]) == (1.5, "KeyError")
    assert shown["tree_ids"] == [str(ID), str(ID)]


@given(st.text(alphabet=st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1), st.text())
def test_no_chinese_text_is_ever_shown(text: str, key: str) -> None:
    for name in (key, "tree_id", "reason", "code", "status", "consumer"):
        assert text not in json.dumps(public_fields({name: text, "list_of": [text]}), ensure_ascii=False)


@given(st.from_regex(r"1[3-9][0-9]{9}|[1-9][0-9]{16}[0-9X]", fullmatch=True), st.text("abc-_.:/", max_size=5))
def test_no_phone_and_no_citizens_number_is_ever_shown(number: str, around: str) -> None:
    for value in (number, around + number, number + around, int(number.rstrip("X"))):
        for key in ("tree_id", "reason", "code", "status", "count"):
            assert number not in json.dumps(public_fields({key: value}))


def _raise(error: Exception) -> None:
    raise error


def test_an_exception_is_told_by_type_place_and_cause_and_never_by_its_words(
    log: logging.Logger, written: Written
) -> None:
    class Duplicate(Exception):
        sqlstate = "23505"
        constraint_name = "uq_member_phone"
        detail = f"Key (phone)=({PHONE}) already exists."

    failure = ExceptionGroup(NAME, [ValueError(NAME)])
    failure.__cause__ = Duplicate(f"duplicate {PHONE}")
    try:
        _raise(failure)
    except ExceptionGroup:
        log.exception("not_planted")
    [line] = written()
    told = line["error_detail"]
    assert told["type"] == "builtins.ExceptionGroup"
    assert told["at"][0].startswith("tests/test_logs.py:")
    assert (told["cause"]["sqlstate"], told["cause"]["constraint_name"]) == ("23505", "uq_member_phone")
    assert told["errors"][0]["type"] == "builtins.ValueError"
    for secret in (PHONE, NAME):
        assert secret not in json.dumps(line, ensure_ascii=False)


def test_lines_carry_the_trace_of_their_request(log: logging.Logger, written: Written) -> None:
    header = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    request = telemetry.ServedRequest("GET", [(b"traceparent", header)])
    log.info("inside")
    request.finish("/v1/trees", 200)
    log.info("outside")
    inside, outside = written()
    assert (inside["trace_id"], inside["span_id"]) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert "trace_id" not in outside


PROGRAM = f"""
import logging, sys, threading, warnings, telemetry
telemetry.configure("orchard", log_level="debug")
logging.getLogger("uvicorn.access").info("GET /%s", "{NAME}")
logging.getLogger("httpx").info("HTTP Request: %s", "{PHONE}")
warnings.warn("{NAME} is late")
thread = threading.Thread(target=lambda: int("{NAME}"))
thread.start(); thread.join()
class Broken:
    def __del__(self): raise ValueError("{PHONE}")
Broken()
raise KeyError("{NAME}")
"""


def test_a_process_says_nothing_personal_by_warnings_threads_or_its_end() -> None:
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "default"},
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "python_warning",
        "uncaught_exception_in_thread",
        "exception_ignored",
        "uncaught_exception",
    ]
    assert NAME not in done.stderr
    assert PHONE not in done.stderr
    assert lines[-1]["error_detail"]["type"] == "builtins.KeyError"
