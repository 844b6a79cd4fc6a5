"""The tables as SQLAlchemy Core sees them, for services to select from and join; only this package writes them."""

from uuid import UUID

from sqlalchemy import BigInteger, Column, MetaData, Named, Table, Text, TypedColumns, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

_METADATA = MetaData()


class _Organisation(TypedColumns):
    organisation_id: Named[UUID] = Column(Uuid, primary_key=True)
    parent_id: Named[UUID | None] = Column(Uuid)
    kind: Named[str] = Column(Text)
    level: Named[str] = Column(Text)
    name: Named[str] = Column(Text)
    division_code: Named[str | None] = Column(Text)
    status: Named[str] = Column(Text)
    path: Named[str | None] = Column(Text(collation="C"))
    ancestors: Named[list[UUID] | None] = Column(ARRAY(Uuid))
    version: Named[int] = Column(BigInteger)


class _Affiliation(TypedColumns):
    person_id: Named[UUID] = Column(Uuid, primary_key=True)
    organisation_id: Named[UUID] = Column(Uuid)
    version: Named[int] = Column(BigInteger)


class _Rollup(TypedColumns):
    organisation_id: Named[UUID] = Column(Uuid, primary_key=True)
    measure: Named[str] = Column(Text, primary_key=True)
    value: Named[int] = Column(BigInteger)


class _RollupPeople(TypedColumns):
    organisation_id: Named[UUID] = Column(Uuid, primary_key=True)
    measure: Named[str] = Column(Text, primary_key=True)
    people: Named[list[int]] = Column(ARRAY(BigInteger))


organisation = Table("organisation", _METADATA, _Organisation)
"""One row for each organisation that was ever heard of by an event of its own.

`path` is "/" + the ids from the root to the organisation, joined by "/", + "/": ordered by it, a list is the tree depth
first. `ancestors` has the same ids. Both are null while an ancestor is unknown.
"""

affiliation = Table("affiliation", _METADATA, _Affiliation)
"""The one organisation each member belongs to."""

rollup = Table("rollup", _METADATA, _Rollup)
"""For each organisation and measure the total over the organisation and all below it; no row means 0."""

rollup_people = Table("rollup_people", _METADATA, _RollupPeople)
"""Beside a total the marks of the people behind it, lowest first: all, or eight of more; no row means nobody."""
