"""What a service does beside its routes: jobs and due rows, each led by one process at a time."""

from background.due import Due, TryAgain
from background.jobs import Job
from background.leadership import LeadershipLost, Lease, Locks, open_session, try_lock
from background.waiting import GrowingDelay, pause
from background.worker import Part, PartFailing, Worker

__all__ = [
    "Due",
    "GrowingDelay",
    "Job",
    "LeadershipLost",
    "Lease",
    "Locks",
    "Part",
    "PartFailing",
    "TryAgain",
    "Worker",
    "open_session",
    "pause",
    "try_lock",
]
