"""The proxy before the gateway, as `deploy/nginx` has it: TLS 1.3, HTTP/2, and everybody's own address."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from string import Template as Text

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from database import utc_now
from standalone import processes
from testkit.databases import Template, TestDatabases
from tests.outside import nginx
from tests.outside.node import installed, run
from tests.outside.system import running_system

pytestmark = pytest.mark.browser

_FRONT = Path(__file__).parents[2] / "deploy/nginx/front.conf.template"
_AT_ONCE = 30


async def test_who_comes_through_the_front_speaks_http_2_and_is_limited_by_their_own_address(
    databases: TestDatabases,
    template_of: Callable[[str], Awaitable[Template]],
    nats_account_url: str,
    tmp_path: Path,
) -> None:
    told = {"trusted_proxies": "127.0.0.1", "address_requests_per_minute": str(2 * _AT_ONCE)}
    async with (
        running_system(databases, template_of, nats_account_url, tmp_path, told=told) as system,
        _front(tmp_path, gateway=system.url.removeprefix("http://")) as front,
    ):
        folder = await installed(Path(__file__).parent)
        status, output = await run(["node", "front.mjs"], folder, told={**front, "times": 2 * _AT_ONCE}, seconds=60)
    assert status == 0, output
    first, second, plain = map(json.loads, output.splitlines())
    for each in (first, second):
        assert (each["protocol"], each["tls"]) == ("h2", "TLSv1.3")
        assert each["statuses"].count(200) >= _AT_ONCE, "another address took from this one's"
        assert set(each["statuses"]) == {200, 429}, "who lies about their address has many"
    assert plain == {"status": 308, "to": "https://localhost/app/"}


@asynccontextmanager
async def _front(folder: Path, *, gateway: str) -> AsyncIterator[dict[str, object]]:
    """Run nginx with the file of `deploy`; give its ports and its certificate."""
    certificate, key = _certificate()
    (folder / "front.crt").write_bytes(certificate)
    (folder / "front.key").write_bytes(key)
    port, plain = processes.free_port(), processes.free_port()
    server = Text(_FRONT.read_text()).safe_substitute(
        GATEWAY=gateway,
        FRONT_NAME="localhost",
        FRONT_HTTPS=f"127.0.0.1:{port}",
        FRONT_HTTP=f"127.0.0.1:{plain}",
        FRONT_CERTIFICATE=folder / "front.crt",
        FRONT_KEY=folder / "front.key",
    )
    program = nginx.program()
    assert program, "no nginx: tests/outside/nginx fetches Debian's"
    async with nginx.running(folder / "front", program, server, port=port):
        yield {"port": port, "plain": plain, "certificate": certificate.decode()}


def _certificate() -> tuple[bytes, bytes]:
    """Give a certificate of `localhost` by itself, and its key; both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(utc_now() - timedelta(days=1))
        .not_valid_after(utc_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), private
