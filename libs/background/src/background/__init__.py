"""What a service does beside its routes: jobs and due rows, each led by one process at a time."""

from background.commits import NEVER, Commits, prepare_waiting, wait_past
from background.due import Due, TryAgain
from background.jobs import RESTING_SECONDS, Ends, Job, RunningJob, seconds_until
from background.leadership import Lease, Locks, open_session, try_lock
from background.waiting import GrowingDelay, pause, unless

__all__ = [
    "NEVER",
    "RESTING_SECONDS",
    "Commits",
    "Due",
    "Ends",
    "GrowingDelay",
    "Job",
    "Lease",
    "Locks",
    "RunningJob",
    "TryAgain",
    "open_session",
    "pause",
    "prepare_waiting",
    "seconds_until",
    "try_lock",
    "unless",
    "wait_past",
]
