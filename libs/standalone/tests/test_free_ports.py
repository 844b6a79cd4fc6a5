"""Ports that are found free stay so until a server listens there."""

from pathlib import Path

import pytest

from standalone import processes

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


@pytest.mark.skipif(not _RANGE.exists(), reason="only Linux says which ports it gives to outgoing connections")
def test_a_free_port_is_none_that_an_outgoing_connection_may_take() -> None:
    least, most = map(int, _RANGE.read_text().split())
    ports = {processes.free_port() for _ in range(200)}
    assert len(ports) > 150
    assert not [port for port in ports if least <= port <= most]
