"""One way to be an HTTP service: application, authentication, problems, pages, idempotency, health, processes."""

from webapi import migrations
from webapi.access import access, one_factor
from webapi.application import Application, open_database
from webapi.assistance import assistable
from webapi.authentication import Authenticator, Principal
from webapi.caller import (
    AuthenticatedCaller,
    Caller,
    Command,
    RecordedRead,
    RefusedWithEffect,
    asks_for_token,
    caller_by,
    json_answer,
)
from webapi.cannot_start import CannotStart
from webapi.describing import deprecated, described
from webapi.health import Check
from webapi.idempotency import purge_idempotency_keys
from webapi.pages import IdsQuery, Page, PageQuery, PageRequest, cursor_of
from webapi.problems import NOT_FOUND, Problem, Refusal
from webapi.processes import Worker
from webapi.reach import Limit, count_reach, limited
from webapi.revocation_hook import follow_revocations
from webapi.revocations import Revocations
from webapi.scopes import passes_token_on
from webapi.serving import TaskWithArguments, serve
from webapi.settings import ServiceSettings, read_settings
from webapi.validation import rule_broken

__all__ = [
    "NOT_FOUND",
    "Application",
    "AuthenticatedCaller",
    "Authenticator",
    "Caller",
    "CannotStart",
    "Check",
    "Command",
    "IdsQuery",
    "Limit",
    "Page",
    "PageQuery",
    "PageRequest",
    "Principal",
    "Problem",
    "RecordedRead",
    "Refusal",
    "RefusedWithEffect",
    "Revocations",
    "ServiceSettings",
    "TaskWithArguments",
    "Worker",
    "access",
    "asks_for_token",
    "assistable",
    "caller_by",
    "count_reach",
    "cursor_of",
    "deprecated",
    "described",
    "follow_revocations",
    "json_answer",
    "limited",
    "migrations",
    "one_factor",
    "open_database",
    "passes_token_on",
    "purge_idempotency_keys",
    "read_settings",
    "rule_broken",
    "serve",
]
