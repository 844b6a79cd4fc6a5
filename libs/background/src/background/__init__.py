"""What a service does beside its routes: jobs and due rows, each led by one process at a time."""

from background.due import Due, TryAgain
from background.jobs import Job, RunningJob
from background.leadership import Lease, Locks, open_session, try_lock
from background.waiting import GrowingDelay, pause, unless

__all__ = [
    "Due",
    "GrowingDelay",
    "Job",
    "Lease",
    "Locks",
    "RunningJob",
    "TryAgain",
    "open_session",
    "pause",
    "try_lock",
    "unless",
]
