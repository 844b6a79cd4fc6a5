"""The audit: who read or changed what, for what purpose, kept so that nobody can change it unnoticed."""

from audit.declaration import EXTENSION, about_nobody, audited, require_audited, unaudited
from audit.entries import Actor, Entry, by, record, record_all, refused
from audit.provisioning import provision, require_current, require_v1, script

__all__ = [
    "EXTENSION",
    "Actor",
    "Entry",
    "about_nobody",
    "audited",
    "by",
    "provision",
    "record",
    "record_all",
    "refused",
    "require_audited",
    "require_current",
    "require_v1",
    "script",
    "unaudited",
]
