"""The audit of the whole system: a person sees who read their file, and whoever breaks a chain is found out."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from standalone import services
from standalone.command import application
from standalone.data_directory import DataDirectory
from tests.flows.conftest import System
from tests.flows.helping import agreed, exchanged
from tests.flows.people import within

WITNESSED_SECONDS = 60.0


@pytest.fixture
def home(system: System) -> DataDirectory:
    if system.data is None:
        pytest.skip("the system runs elsewhere")
    return DataDirectory(system.data)


async def connected(home: DataDirectory, service: str) -> asyncpg.Connection:
    """Connect as the superuser, who alone can break an audit."""
    password, port = home.secret("postgres"), home.state["ports"]["postgres"]
    return await asyncpg.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/{service}")


async def verified(home: DataDirectory) -> tuple[int, str]:
    """Run `xiangqiao audit verify`; give its status and what it said."""
    command = [str(Path(sys.executable).with_name("xiangqiao")), "audit", "verify", "--data", str(home.path)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


async def test_a_member_sees_who_read_the_file_and_what_for(system: System) -> None:
    person_id = system.person_id("away.demo")
    async with system.person("officer.demo") as officer, system.person("away.demo") as away:
        await officer.get(f"/v1/members/{person_id}", purpose="verification")
        [latest] = (await away.get("/v1/me/access-log/members", limit=1))["items"]
        assert (latest["action"], latest["purpose"]) == ("members.file.read", "verification")
        assert (latest["actor_role"], latest["actor_organisation"]) == ("officer", system.seeded.county_name) or (
            latest["actor_role"] == "officer" and latest["actor_organisation_id"] == str(system.seeded.county_id)
        )
        seen = await away.get("/v1/me/access-log/identity")
        assert "identity.account.opened" in {each["action"] for each in seen["items"]}
        await away.get("/v1/audit/members/entries", status=403)


async def test_the_audit_of_every_service_is_sealed_witnessed_and_whole(system: System, home: DataDirectory) -> None:
    async with system.person("secretary.demo") as secretary, system.person("officer.demo") as officer:
        helping = await exchanged(system, secretary, await agreed(system, secretary, officer))
        async with helping.http:  # the gateway records nothing else than what is asked of it for somebody else
            assert (await helping.status("GET", "/v1/home"))[0] == 200

    async def all_witnessed() -> bool:
        counts = []
        for service, witness in services.WITNESSES.items():
            connection = await connected(home, witness)
            counts.append(await connection.fetchval("select count(*) from audit.witness where service = $1", service))
            await connection.close()
        return all(counts)

    await within(WITNESSED_SECONDS, all_witnessed)
    code, said = await verified(home)
    assert code == 0, said
    assert len(said.strip().splitlines()) == len(services.WITNESSES)


async def test_an_altered_entry_is_named_by_the_command(home: DataDirectory) -> None:
    """Check 28: by the command of an operator."""
    command = ["audit", "verify", "--data", str(home.path), "--service", "members"]

    async def verified_here() -> tuple[int, str]:
        done = await asyncio.to_thread(CliRunner().invoke, application, command)
        return done.exit_code, done.output

    connection = await connected(home, "members")
    try:
        entry = await connection.fetchrow("select id, position, subject from audit.entry where position = 2")
        await connection.execute("update audit.entry set subject = uuidv7() where id = $1", entry["id"])
        code, said = await verified_here()
        assert code == 1
        assert f"entry 2 (id {entry['id']}) was altered" in said
        await connection.execute("update audit.entry set subject = $2 where id = $1", entry["id"], entry["subject"])
        assert (await verified_here())[0] == 0
    finally:
        await connection.close()
