"""When a breaker opens and for how long, how much is tried again, and what a client's wish to wait means."""

import pytest

from gateway.edge.breaker import Breaker, Breaking, State
from gateway.edge.deadlines import announced, wait_in
from gateway.edge.retries import Budget
from gateway.edge.windows import Window

MIDDLE = 0.5


def test_a_window_forgets_after_ten_seconds() -> None:
    window = Window()
    for second in (100.0, 100.9, 104.0, 109.5):
        window.add(second)
    assert [window.total(now) for now in (109.9, 110.0, 113.9, 114.0, 118.9, 119.0, 500.0)] == [4, 2, 2, 1, 1, 0, 0]


def test_five_failures_in_a_row_open_it_and_a_success_between_them_does_not() -> None:
    breaker = Breaker(Breaking())
    assert [breaker.failed(1.0) for _ in range(4)] == [False] * 4
    breaker.worked(1.0)
    assert [breaker.failed(1.0) for _ in range(5)] == [False] * 4 + [True]


def test_half_of_twenty_in_ten_seconds_open_it_and_half_of_fewer_or_of_older_ones_do_not() -> None:
    for seconds, opens in ((0.2, True), (1.2, False)):
        breaker = Breaker(Breaking())
        told = []
        for number in range(20):
            breaker.worked(100 + number * seconds)
            told.append(breaker.failed(100 + number * seconds))
        assert told[:9] == [False] * 9
        assert any(told[9:]) is opens


def test_it_stays_open_twice_as_long_each_time_until_a_request_has_succeeded() -> None:
    breaker = Breaker(Breaking())
    seconds = []
    for _ in range(6):
        seconds.append(breaker.open(0.0, MIDDLE))
        breaker.probe()
    assert seconds == [2, 4, 8, 16, 30, 30]
    breaker.close()
    assert breaker.open(0.0, MIDDLE) == 30  # it lived, and failed again before anything succeeded
    breaker.close()
    breaker.worked(0.0)
    assert breaker.open(0.0, 0.0) == pytest.approx(1.6)
    assert breaker.open(0.0, 1.0) == pytest.approx(4.8)


def test_an_open_one_is_not_opened_again() -> None:
    breaker = Breaker(Breaking())
    breaker.open(0.0, MIDDLE)
    assert not any(breaker.failed(1.0) for _ in range(50))
    assert breaker.state is State.OPEN


def test_a_tenth_of_all_is_tried_again_and_three_a_second_always() -> None:
    budget = Budget()
    assert sum(budget.take(1.0, 0) for _ in range(100)) == 30
    assert sum(budget.take(2.0, 1000) for _ in range(100)) == 70
    assert not budget.take(10.9, 1000)
    assert sum(budget.take(11.0, 0) for _ in range(100)) == 0  # the seventy of a second later still count
    assert sum(budget.take(12.0, 0) for _ in range(100)) == 30


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (b"wait=3", 3),
        (b"respond-async, wait=3", 3),
        (b'WAIT = "3"; x=y', 3),
        (b"wait=3, wait=9", 3),
        (b"wait=0", 1),
        (b"wait", None),
        (b"wait=-1", None),
        (b"wait=3.5", None),
        (b"wait=99999999", None),
        (b"await=3", None),
        (b"handling=lenient; wait=3", None),
    ],
)
def test_what_a_client_would_wait(said: bytes, seconds: float | None) -> None:
    assert wait_in(said) == seconds


def test_the_application_behind_hears_of_the_door_alone_how_long_it_has() -> None:
    headers = [(b"x-xiangqiao-deadline", b"999999"), (b"host", b"x"), (b"prefer", b"return=minimal")]
    assert announced(headers, 5.0) == [*headers[1:], (b"x-xiangqiao-deadline", b"5000")]
    for wait, told in ((b"wait=2", b"2000"), (b"wait=20", b"5000")):
        assert announced([(b"prefer", wait)], 5.0)[-1] == (b"x-xiangqiao-deadline", told)
