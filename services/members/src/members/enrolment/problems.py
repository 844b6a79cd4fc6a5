"""How the refusals to enrol are answered; wrong rows as for organisations."""

from members.enrolment.commands import EnrolledMeanwhile
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    EnrolledMeanwhile: Problem(
        409,
        "enrolled_meanwhile",
        "Another request enrolled one of these people just now; send it again.",
        "另一请求刚刚登记了其中的人员，请重新提交。",
    ),
}
