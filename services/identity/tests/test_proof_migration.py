"""Accounts of before the upgrade count as proven, but those whose password somebody else still knows."""

from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from database import new_id
from testkit.databases import Template, TestDatabases

from .conftest import MIGRATIONS

BEFORE = "0020"
_ACCOUNT = """
    insert into account (account_id, organisation_id, opened_at, opened_by) values (:id, :place, now(), :opener)
"""
_PASSWORD = """
    insert into credential (credential_id, account_id, kind, secret, set_at, first_until)
    values (:credential, :id, 'password', 'x', now(), case when :first then now() end)
"""
_PHONE = """
    insert into identifier (identifier_id, account_id, kind, blind_index, sealed, added_at)
    values (:credential, :id, 'phone', decode(md5(:id::text), 'hex'), 'x', now())
"""
_AFFILIATION = "insert into affiliation (person_id, organisation_id, version) values (:id, :place, 1)"


class Before:
    """An account of before: whether somebody else opened it, has its password, and it is a member's."""

    def __init__(self, *, opened: bool = True, password: str = "first", member: bool = True) -> None:  # noqa: S107
        self.id, self.place = new_id(), new_id()
        self._opener = new_id() if opened else None
        self._password, self._member = password, member

    def write(self, connection: Connection) -> None:
        connection.execute(text(_ACCOUNT), {"id": self.id, "place": self.place, "opener": self._opener})
        if self._password != "none":
            first = {"credential": new_id(), "id": self.id, "first": self._password == "first"}
            connection.execute(text(_PASSWORD), first)
        connection.execute(text(_PHONE.replace(":id::text", f"'{self.id}'")), {"credential": new_id(), "id": self.id})
        if self._member:
            connection.execute(text(_AFFILIATION), {"id": self.id, "place": self.place})


async def test_who_has_the_own_password_is_not_asked_and_who_has_not_is(
    databases: TestDatabases, database_template: Template
) -> None:
    asked = [Before(), Before(password="none")]
    kept = [Before(password="own"), Before(member=False), Before(opened=False), Before(opened=False, password="none")]
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    def move(connection: Connection) -> dict[UUID, tuple[bool, bool]]:
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
        for each in (*asked, *kept):
            each.write(connection)
        connection.commit()
        command.upgrade(config, "head")
        late = Before(member=False)  # by a process of before
        late.write(connection)
        kept.append(late)
        rows = connection.execute(
            text(
                "select account_id, proven_at is not null as proven, exists (select from identifier"
                " where identifier.account_id = account.account_id and kind = 'phone') as phone from account"
            )
        )
        return {row.account_id: (row.proven, row.phone) for row in rows}

    async with databases.database(database_template) as url:
        engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
        async with engine.connect() as connection:
            found = await connection.run_sync(move)
        await engine.dispose()
    assert [found[each.id] for each in asked] == [(False, False)] * 2
    assert [found[each.id] for each in kept] == [(True, True)] * 5
    assert all(proven for account_id, (proven, _) in found.items() if account_id not in {each.id for each in asked})
