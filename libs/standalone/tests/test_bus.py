"""Shows with each service's credential, on a real server, that it may do its own things on NATS and no other's."""

import asyncio
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from contracts import Event, members
from contracts.identity import SessionRevokedV1
from database import new_id, utc_now
from messaging import NatsConnection, Tail, connect, outbox, publishing, streams
from messaging.pulling import Puller
from messaging.received import Arrival, Reader
from standalone import bus, processes, services
from standalone.nats import NatsAccount, NatsServer, program
from testkit.envelopes import around
from webapi.revocations import REVOCATIONS

CONSUMER_VERBS = (
    "CREATE",
    "DURABLE.CREATE",
    "INFO",
    "RESET",
    "DELETE",
    "MSG.NEXT",
    "PAUSE",
    "UNPIN",
    "LEADER.STEPDOWN",
)
STREAM_VERBS = ("CREATE", "UPDATE", "DELETE", "PURGE", "RESTORE", "SNAPSHOT", "MSG.DELETE", "LEADER.STEPDOWN")
VIOLATION = re.compile(r'Permissions Violation for (Publish|Subscription) to "([^"]+)"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    directory = tmp_path_factory.mktemp("bus")
    users = tuple(services.nats_user(name, f"{name}-secret") for name in bus.READERS)
    made = NatsServer(
        directory / "nats",
        port=processes.free_port(),
        accounts=[NatsAccount("SYSTEM", users)],
        log=directory / "nats.log",
        sync_interval="2m",
    )
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """Run a server with the province form's own configuration; gives its port and the one of its health."""
    directory = tmp_path_factory.mktemp("province")
    shutil.copytree(Path(__file__).parents[3] / "deploy" / "nats", directory, dirs_exist_ok=True)
    port, health = processes.free_port(), processes.free_port()
    settings = (directory / "nats.conf").read_text()
    settings = settings.replace("0.0.0.0:4222", f"127.0.0.1:{port}").replace("/data", str(directory / "data"))
    (directory / "nats.conf").write_text(settings.replace("127.0.0.1:8222", f"127.0.0.1:{health}"))
    passwords = {f"{name.upper()}_NATS_PASSWORD": f'"{name}-secret"' for name in bus.READERS}
    process = processes.spawn(
        [program(), "--config", directory / "nats.conf"],
        log=directory / "log",
        environment={**os.environ, **passwords},
    )
    assert processes.wait_until(lambda: not processes.is_port_free(port), 10), (directory / "log").read_text()
    yield port, health
    processes.stop(process)


@pytest.fixture(scope="module")
def configured(province: tuple[int, int]) -> int:
    return province[0]


def test_the_province_form_tells_its_health(province: tuple[int, int]) -> None:
    answer = httpx.get(f"http://127.0.0.1:{province[1]}/healthz", trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def refused(port: int, user: str, publish: Sequence[str], subscribe: Sequence[str] = ()) -> set[str]:
    """Try all these subjects as `user`; give those that the server refuses."""
    lines = [f"CONNECT {json.dumps({'user': user, 'pass': f'{user}-secret', 'verbose': False, 'headers': True})}"]
    lines += [f"SUB {subject} {number}" for number, subject in enumerate(subscribe, start=1)]
    lines += [f"PUB {subject} 2\r\n{{}}" for subject in publish]
    found: set[str] = set()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "PING", ""]).encode())
        with connection.makefile("r") as answers:
            for line in answers:
                if line.startswith("PONG"):
                    break
                if line.startswith("-ERR"):
                    violation = VIOLATION.search(line)
                    assert violation is not None, line
                    found.add(violation[2])
    return found


def foreign(own: str) -> list[str]:
    """List what the service called `own` must not publish to."""
    subjects = ["$SYS.REQ.SERVER.PING", "$JS.API.STREAM.DELETE.ADVISORIES", "$JS.API.STREAM.PURGE.ADVISORIES"]
    for other, readers in bus.READERS.items():
        stream = f"EVT_{other.upper()}"
        subjects += [f"$JS.API.STREAM.{verb}.{stream}" for verb in STREAM_VERBS[2:]]  # nobody's, the owner's neither
        if other == own:
            continue
        subjects += [f"evt.{other}.p00.branch.1", f"_INBOX_{other}.abc", "_INBOX.abc"]
        subjects += [f"$JS.API.STREAM.{verb}.{stream}" for verb in STREAM_VERBS[:2]]
        for reader in (name for each in readers for name in (each, f"{each}-rebuild")):
            for read in ("EVT_MEMBERS", f"EVT_{own.upper()}"):
                subjects += [f"$JS.API.CONSUMER.{verb}.{read}.{reader}" for verb in CONSUMER_VERBS]
                subjects += [f"$JS.API.CONSUMER.CREATE.{read}.{reader}.evt.members.x"]
                subjects += [f"$JS.ACK.{read}.{reader}.1.1.1.1700000000000000000.0"]
                subjects += [f"$JS.ACK._.hash.{read}.{reader}.1.1.1.1700000000000000000.0"]
    return subjects


@pytest.mark.parametrize("service", bus.READERS)
def test_a_credential_reaches_nothing_of_another_service(service: str, server: NatsServer, configured: int) -> None:
    """Check 21: every service's credential."""
    subjects = foreign(service)
    listening = [f"_INBOX_{other}.>" for other in bus.READERS if other != service] + ["_INBOX.>", "evt.>", "$JS.>", ">"]
    listening += [f"evt.{other}.>" for other in bus.READERS] + ["evt.identity.*.*.*", "evt.identity.*.role.*"]
    for port in (server.port, configured):
        missed = {*subjects, *listening} - refused(port, service, subjects, listening)
        assert missed == set()


@pytest.mark.parametrize("service", bus.READERS)
def test_both_forms_permit_what_a_service_needs(service: str, server: NatsServer, configured: int) -> None:
    subjects = [subject.replace("*", "EVT_X").replace(">", "x") for subject in bus.publish_subjects(service)]
    assert set(bus.ENDING_TOKENS) == {
        subject for found in streams.filters_of(REVOCATIONS).values() for subject in found
    }
    for port in (server.port, configured):
        assert refused(port, service, subjects, bus.subscribe_subjects(service)) == set()


@pytest.mark.parametrize("service", bus.READERS)
async def test_the_code_gets_by_with_it(service: str, server: NatsServer) -> None:
    nats = await connect(server.url(service), name=service)
    await streams.declare_stream(nats, service)
    await streams.declare_stream(nats, service)
    await streams.declare_advisories(nats)
    messages = [
        publishing.Message(f"{service}-{number}", f"evt.{service}.p00.thing.{number}", None, b"{}")
        for number in range(3)
    ]
    assert (await publishing.publish_batch(nats, messages)).number == 3
    for reader in bus.READERS[service]:
        for name in (reader, f"{reader}-rebuild"):
            await read_and_acknowledge(nats, service, name)
        await streams.request(nats, f"CONSUMER.DELETE.EVT_{service.upper()}.{reader}-rebuild")
    await nats.close()


@pytest.mark.parametrize("service", bus.READERS)
async def test_each_service_hears_of_revocations_and_reads_no_others_stream_like_that(
    service: str, server: NatsServer
) -> None:
    identity = await connect(server.url("identity"), name="identity")
    await streams.declare_stream(identity, "identity")
    revoked = SessionRevokedV1(session_id=new_id())
    event_id = new_id()
    payload = outbox.encode(revoked, event_id=event_id, version=1, time=utc_now())
    await publishing.publish_batch(
        identity, [publishing.Message(str(event_id), streams.subject_of(revoked), None, payload)]
    )
    nats = await connect(server.url(service), name=f"{service}-api")
    heard: list[Event] = []
    tail = Tail(nats)
    async with tail.following([SessionRevokedV1], heard.append, since=timedelta(minutes=1), complete=lambda: None):
        await tail.check()
        assert revoked in heard
        await asyncio.sleep(0.3)
        later = SessionRevokedV1(session_id=new_id())
        again = outbox.encode(later, event_id=(event_id := new_id()), version=1, time=utc_now())
        told = publishing.Message(str(event_id), streams.subject_of(later), None, again)
        await publishing.publish_batch(identity, [told])
        async with asyncio.timeout(1.0):
            while later not in heard:
                await asyncio.sleep(0.01)
    verbs, streams_of_others = ("DIRECT.GET", "STREAM.MSG.GET"), bus.READERS.keys() - {"identity", service}
    others = [f"$JS.API.{verb}.EVT_{name.upper()}" for verb in verbs for name in streams_of_others]
    assert refused(server.port, service, others) == set(others)
    for connection in (nats, identity):
        await connection.close()


async def read_and_acknowledge(nats: NatsConnection, service: str, name: str) -> None:
    stream = f"EVT_{service.upper()}"
    puller = Puller(nats, Reader({}), stream=stream, durable=name, subjects=[f"evt.{service}.>"])
    await puller.begin()
    arrivals: list[Arrival] = []
    while len(arrivals) < 3:
        arrivals += await puller.next(3, seconds=5)
    await puller.acknowledge(arrivals)
    async with asyncio.timeout(10):
        while (await streams.request(nats, f"CONSUMER.INFO.{stream}.{name}"))["num_ack_pending"]:
            await asyncio.sleep(0.02)
    await puller.end()


async def test_what_the_broker_is_made_to_write_into_another_stream_is_ignored(server: NatsServer) -> None:
    victim, forger = (
        await connect(server.url("members"), name="members"),
        await connect(server.url("learning"), name="learning"),
    )
    for nats, service in ((victim, "members"), (forger, "learning")):
        await streams.declare_stream(nats, service)
    event = members.OrganisationEstablishedV1(
        organisation_id=new_id(), parent_id=None, kind="branch", level="branch", name="forged"
    )
    subject, envelope = streams.subject_of(event), around(event, event_id=new_id(), version=1, time=utc_now())
    forged = envelope.model_dump_json(exclude_none=True).encode()
    own = f"evt.learning.p00.organisation.{event.organisation_id}"
    settings = streams.stream_configuration("learning")
    again = {**settings, "republish": {"src": own, "dest": subject}}
    await streams.request(forger, "STREAM.UPDATE.EVT_LEARNING", again)
    await publishing.publish_batch(forger, [publishing.Message(str(envelope.id), own, None, forged)])
    await forger.client.publish("$JS.API.STREAM.INFO.EVT_LEARNING", b"", reply=subject)
    await streams.declare_consumer(forger, "EVT_LEARNING", "learning", [own])
    asked = json.dumps({"batch": 1, "expires": 2_000_000_000}).encode()
    await forger.client.publish("$JS.API.CONSUMER.MSG.NEXT.EVT_LEARNING.learning", asked, reply=subject)

    async def handle(_session: object, _received: object) -> None:
        """Take what comes."""

    genuine = publishing.Message(str(new_id()), subject, None, forged)
    await asyncio.sleep(0.2)
    await publishing.publish_batch(victim, [genuine])
    reader = Reader({members.OrganisationEstablishedV1: handle})
    puller = Puller(victim, reader, stream="EVT_MEMBERS", durable="members", subjects=["evt.members.*.organisation.*"])
    await puller.begin()
    arrivals: list[Arrival] = []
    while not any(arrival.received for arrival in arrivals):
        arrivals += await puller.next(10, seconds=5)
    await puller.end()
    mine = [arrival for arrival in arrivals if arrival.delivery.subject == subject]
    assert [(bool(arrival.received), arrival.reason) for arrival in mine] == [
        (False, None),
        (False, None),
        (True, None),
    ]
    await streams.request(forger, "STREAM.UPDATE.EVT_LEARNING", settings)
    await victim.close()
    await forger.close()
