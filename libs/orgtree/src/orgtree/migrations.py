"""The tables of the organisation tree as plain SQL, for a service's Alembic history."""

from typing import Any

from orgtree.root import ROOT_ID, ROOT_KIND, ROOT_LEVEL, ROOT_NAME

TREE_TABLES = ("organisation", "affiliation", "role", "role_permission", "rollup", "rollup_people")
"""What a rebuild makes anew, together, in a service whose own commands add deltas; `mend` follows the switch."""

PROJECTION_TABLES = (*TREE_TABLES, "rollup_own", "rollup_person", "rollup_delta")
"""What a rebuild makes anew, together, where the handlers of the rebuilt consumer add the deltas."""


_CREATE_V1 = (
    """
    create table organisation (
        organisation_id uuid not null constraint pk_organisation primary key,
        parent_id uuid,
        kind text not null,
        level text not null,
        name text not null,
        division_code text,
        status text not null default 'active',
        path text collate "C",
        ancestors uuid[],
        version bigint not null
    )
    """,
    "create index ix_organisation_parent_id on organisation (parent_id)",
    # With the id in it, a subtree's ids are read from this index alone.
    "create index ix_organisation_path on organisation (path) include (organisation_id)",
    f"""
    insert into organisation (organisation_id, kind, level, name, path, ancestors, version)
    values ('{ROOT_ID}', '{ROOT_KIND}', '{ROOT_LEVEL}', '{ROOT_NAME}', '/{ROOT_ID}/', array['{ROOT_ID}'::uuid], 0)
    """,  # noqa: S608 - constants of this package
    """
    create table affiliation (
        person_id uuid not null constraint pk_affiliation primary key,
        organisation_id uuid not null,
        version bigint not null
    )
    """,
    "create index ix_affiliation_organisation_id on affiliation (organisation_id, person_id)",
    """
    create table role (
        role text not null constraint pk_role primary key,
        version bigint not null
    )
    """,
    """
    create table role_permission (
        role text not null,
        permission text not null,
        constraint pk_role_permission primary key (role, permission)
    )
    """,
    # Room on each page, so that a new value stays beside the old one and the index is left alone.
    """
    create table rollup (
        organisation_id uuid not null,
        measure text not null,
        value bigint not null,
        constraint pk_rollup primary key (organisation_id, measure)
    ) with (fillfactor = 70)
    """,
    """
    create table rollup_own (
        organisation_id uuid not null,
        measure text not null,
        value bigint not null,
        constraint pk_rollup_own primary key (organisation_id, measure)
    ) with (fillfactor = 70)
    """,
    # Filled and emptied every second or two: vacuum it by count, not by a share of a table that is mostly empty.
    """
    create table rollup_delta (
        id bigint generated always as identity constraint pk_rollup_delta primary key,
        organisation_id uuid not null,
        measure text not null,
        delta bigint not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000)
    """,
)

_CREATE_V2 = (
    "alter table rollup_delta add column person bigint",
    """
    create table rollup_person (
        organisation_id uuid not null,
        measure text not null,
        person bigint not null,
        value bigint not null,
        constraint pk_rollup_person primary key (organisation_id, measure, person)
    )
    """,
    """
    create table rollup_people (
        organisation_id uuid not null,
        measure text not null,
        people bigint[] not null,
        constraint pk_rollup_people primary key (organisation_id, measure)
    ) with (fillfactor = 70)
    """,
    # No table of the projection: a rebuild must find the same marks.
    "create table person_mark_key (key bytea not null constraint ck_person_mark_key_length check (length(key) = 32))",
    "insert into person_mark_key values (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())))",
    """
    create function person_mark(person_id uuid) returns bigint language sql stable strict parallel safe return (
        select ('x' || encode(substring(sha256(key || uuid_send(person_id)) for 8), 'hex'))::bit(64)::bigint
        from person_mark_key
    )
    """,
)


def create_v1(op: Any) -> None:
    """Create the tables and the root organisation; `op` is `alembic.op`."""
    for statement in _CREATE_V1:
        op.execute(statement)


def drop_v1(op: Any) -> None:
    """Drop what `create_v1` made."""
    for table in ("organisation", "affiliation", "role", "role_permission", "rollup", "rollup_own", "rollup_delta"):
        op.execute(f"drop table {table}")


def create_v2(op: Any) -> None:
    """Add the people behind the counts; what was counted before has none until it is counted anew."""
    for statement in _CREATE_V2:
        op.execute(statement)


def drop_v2(op: Any) -> None:
    """Drop what `create_v2` made."""
    op.execute("drop function person_mark")
    for table in ("person_mark_key", "rollup_people", "rollup_person"):
        op.execute(f"drop table {table}")
    op.execute("alter table rollup_delta drop column person")
