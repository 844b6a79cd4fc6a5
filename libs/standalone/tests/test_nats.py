"""Shows that the embedded NATS server keeps what it acknowledged and lets in whom it should."""

import socket
from collections.abc import Iterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client

from standalone import processes, services
from standalone.nats import NatsAccount, NatsServer, NatsUser
from standalone.refusals import PortTaken


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    users = tuple(services.nats_user(name, f"{name}-secret") for name in ("members", "learning"))
    made = NatsServer(
        tmp_path / "nats",
        port=processes.free_port(),
        accounts=[NatsAccount("SYSTEM", users), NatsAccount("OTHER", (NatsUser("stranger", "x"),))],
        log=tmp_path / "nats.log",
    )
    made.start()
    yield made
    made.stop()


async def connect_as(server: NatsServer, service: str) -> Client:
    return await nats.connect(server.url(service), inbox_prefix=f"_INBOX_{service}")


async def test_messages_survive_a_crash(server: NatsServer) -> None:
    connection = await connect_as(server, "members")
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="EVT_MEMBERS", subjects=["evt.members.>"])
    await jetstream.publish("evt.members.p00.branch.1", b"founded")
    await connection.close()
    server.kill()
    server.start()
    connection = await connect_as(server, "learning")
    assert (await connection.jetstream().stream_info("EVT_MEMBERS")).state.messages == 1
    await connection.close()


async def test_another_account_sees_no_stream(server: NatsServer) -> None:
    owner = await connect_as(server, "members")
    await owner.jetstream().add_stream(name="EVT_MEMBERS", subjects=["evt.members.>"])
    await owner.close()
    stranger = await nats.connect(server.url("stranger"))
    assert await stranger.jetstream().streams_info() == []
    await stranger.close()


def test_nobody_enters_without_a_password(server: NatsServer) -> None:
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=5) as connection, connection.makefile("rb") as answers:
        assert answers.readline().startswith(b"INFO ")
        connection.sendall(b'CONNECT {"user": "members"}\r\nPING\r\n')
        assert answers.readline() == b"-ERR 'Authorization Violation'\r\n"


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        made = NatsServer(tmp_path, port=port, accounts=[], log=tmp_path / "nats.log")
        with pytest.raises(PortTaken, match=f"port {port} .* XIANGQIAO_NATS_PORT"):
            made.start()
