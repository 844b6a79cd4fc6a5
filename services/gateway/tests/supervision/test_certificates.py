"""Ends of certificates are told as whoever connects is shown them, those that are over too."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from database import Database
from gateway.supervision.certificates import Certificates

from ..in_process import NOWHERE

NOW = datetime.now(UTC).replace(microsecond=0)
Serving = Callable[[datetime], Awaitable[str]]


def certified(folder: Path, end: datetime) -> ssl.SSLContext:
    """Make a certificate that ends then, and what serves with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "xiangqiao.test")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(NOW - timedelta(days=900)).not_valid_after(end).sign(key, hashes.SHA256())
    file = folder / f"{end.timestamp()}.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest_asyncio.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    async with AsyncExitStack() as stack:

        async def serve(end: datetime) -> str:
            server = await asyncio.start_server(
                lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=certified(tmp_path, end)
            )
            await stack.enter_async_context(server)
            return f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

        yield serve


async def test_the_end_of_each_certificate_is_told_of_several_the_first(database: Database, serving: Serving) -> None:
    later, soon, over = NOW + timedelta(days=90), NOW + timedelta(days=3), NOW - timedelta(days=1)
    urls = {
        "gateway": await serving(over),
        "members": f"{await serving(later)},{await serving(soon)}",
        "learning": NOWHERE,
        "feedback": NOWHERE.replace("http:", "https:"),
    }
    found = await Certificates(urls)(database)
    assert found.at == {"certificate gateway": over, "certificate members": soon}
