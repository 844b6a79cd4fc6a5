"""What each service may do on NATS: its own events, its own stream, its own consumers, its own inbox, and no more.

Both forms use it: the standalone form directly, the province form through `deploy/nats/users.conf`, which `make docs`
writes. A wildcard of NATS stands for whole words between dots, so consumers are listed by name.
"""

from typing import Final

READERS: Final = {
    "identity": ("identity",),
    "members": ("members",),
    "activities": ("activities",),
    "learning": ("learning",),
    "feedback": ("feedback",),
    "gateway": ("gateway-changes", "gateway-home", "gateway-overview", "gateway-privacy", "gateway-quotas"),
}
"""The names of the consumers of each service."""

REVOCATIONS: Final = "EVT_IDENTITY"
"""The stream that tells which tokens were ended: every service reads it, without a consumer."""

ENDING_TOKENS: Final = ("evt.identity.*.account.*", "evt.identity.*.session.*")
"""What of it is published at the moment: who hears it reads the stream at once."""

_READING: Final = ("CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.RESET", "CONSUMER.MSG.NEXT")
_HEADING: Final = """\
# Who may connect to NATS, and what for. Written by `make docs` from libs/standalone/src/standalone/bus.py.
# Passwords come from the environment.
"""


def publish_subjects(service: str) -> tuple[str, ...]:
    """Return what a service may publish to: events and beats in its own name, and requests that concern its own things.

    It declares its stream and the one of advisories, and sees how far any stream is. It can delete, empty or restore
    none. A consumer it may make, reset, read and acknowledge under its own names; removing one is for rebuilds.
    Without a consumer it may read its own stream, and the one that tells of revocations.
    """
    streams = (f"EVT_{service.upper()}", "ADVISORIES")
    declaring = [f"$JS.API.STREAM.{verb}.{stream}" for stream in streams for verb in ("CREATE", "UPDATE")]
    reading: list[str] = []
    for reader in READERS.get(service, (service,)):
        rebuilding = f"{reader}-rebuild"
        for name in (reader, rebuilding):
            reading += [f"$JS.API.{verb}.*.{name}" for verb in _READING]
            # An acknowledgement names domain and account before the stream where the server is set to do so.
            reading += [f"$JS.ACK.*.{name}.>", f"$JS.ACK.*.*.*.{name}.>"]
        reading.append(f"$JS.API.CONSUMER.DELETE.*.{rebuilding}")
    followed = dict.fromkeys((REVOCATIONS, streams[0]))
    following = [f"$JS.API.{verb}.{stream}" for stream in followed for verb in ("DIRECT.GET", "STREAM.MSG.GET")]
    return (f"evt.{service}.>", f"hb.{service}.>", *declaring, "$JS.API.STREAM.INFO.*", *following, *reading)


def subscribe_subjects(service: str) -> tuple[str, ...]:
    """Return what a service may hear: answers to its requests, what its consumers are sent, and what ends tokens.

    The last it may read from the stream as well. The gateway hears who is there.
    """
    return (f"_INBOX_{service}.>", *ENDING_TOKENS, *(("hb.>",) if service == "gateway" else ()))


def users_configuration() -> str:
    """Render `deploy/nats/users.conf`, which the province form's `nats.conf` includes."""
    lines = [_HEADING, "users: ["]
    for service in READERS:
        lines += ["  {", f"    user: {service}, password: ${service.upper()}_NATS_PASSWORD", "    permissions: {"]
        for verb, subjects in (("publish", publish_subjects(service)), ("subscribe", subscribe_subjects(service))):
            lines += [f"      {verb}: [", *(f'        "{subject}"' for subject in subjects), "      ]"]
        lines += ["    }", "  }"]
    return "\n".join([*lines, "]", ""])
