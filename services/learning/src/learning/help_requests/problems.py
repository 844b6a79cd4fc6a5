"""How the refusals about help requests are answered."""

from learning.help_requests.queries import NotOwnStaff
from webapi import Problem

PROBLEMS: dict[type[Exception], Problem] = {
    NotOwnStaff: Problem(
        403,
        "not_own_staff",
        "Only the staff of the organisation that was asked sees who asked.",
        "仅被求助组织的工作人员可见求助人。",
    ),
}
