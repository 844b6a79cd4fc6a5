"""How the refusals about studying are answered."""

from learning.study.rules import SaidInFuture
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    SaidInFuture: Problem(
        422,
        "said_in_future",
        "This was said later than now: set the device's clock right.",
        "所述时间晚于当前时间，请校准设备时间。",
    ),
}
