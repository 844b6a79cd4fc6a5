"""The tables of messaging in a service's database, made by the service's Alembic history.

`outbox` holds what is to be published, `outbox_cursor` how far each shard is, `outbox_state` the present epoch, the
cluster whose transaction ids it counts by, and the number of shards; `inbox` marks what a consumer has received,
`parked` keeps what it could not process, `consumer_generation` says which inbox space is its live one, and
`consumer_position` how far each space has read. `lost_event` is what the stream tells and this database forgot, and
`outbox_recovery` the time until that is settled.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.partitions import DAYS_AHEAD, bounds, partition_name

_TABLES_V1 = (
    """
    create table outbox (
        id bigint generated always as identity,
        txid xid8 not null default pg_current_xact_id(),
        epoch integer not null,
        shard smallint not null,
        event_id uuid not null,
        type text not null,
        subject text not null,
        aggregate_id uuid not null,
        aggregate_version bigint not null,
        traceparent text,
        payload bytea not null,
        created_at timestamptz not null default clock_timestamp()
    ) partition by range (created_at)
    """,
    "create index ix_outbox_position on outbox (epoch, shard, txid, id)",
    "create index ix_outbox_aggregate on outbox (aggregate_id, aggregate_version)",
    "create table outbox_default partition of outbox default",
    """
    create table outbox_state (
        only_row boolean not null default true constraint ck_outbox_state_only_row check (only_row),
        epoch integer not null default 1,
        cluster bigint not null,
        shards smallint not null default 1 constraint ck_outbox_state_shards check (shards between 1 and 64),
        constraint pk_outbox_state primary key (only_row)
    )
    """,
    "insert into outbox_state (cluster) select system_identifier from pg_control_system()",
    """
    create table outbox_cursor (
        shard smallint not null,
        epoch integer not null,
        txid xid8 not null,
        id bigint not null,
        stream_seq bigint not null default 0,
        stream_created_at timestamptz,
        updated_at timestamptz not null default now(),
        constraint pk_outbox_cursor primary key (shard, epoch)
    )
    """,
    """
    create table inbox (
        day date not null,
        consumer text collate "C" not null,
        event_id uuid not null,
        constraint pk_inbox primary key (day, consumer, event_id)
    ) partition by range (day)
    """,
    "create table inbox_default partition of inbox default",
    """
    create table parked (
        id bigint generated always as identity,
        consumer text not null,
        event_id uuid not null,
        stream text not null,
        type text,
        aggregate_id uuid,
        aggregate_version bigint,
        subject text not null,
        headers jsonb,
        payload bytea not null,
        reason text not null,
        error text,
        state text not null constraint ck_parked_state check (state in ('parked', 'waiting', 'unknown', 'discarded')),
        attempts integer not null default 0,
        next_at timestamptz,
        parked_at timestamptz not null default now(),
        constraint pk_parked primary key (consumer, event_id)
    )
    """,
    "create index ix_parked_aggregate on parked (consumer, aggregate_id, id)",
    "create index ix_parked_next_at on parked (consumer, next_at) where next_at is not null",
    """
    create table consumer_generation (
        consumer text not null,
        generation integer not null default 1,
        switched_at timestamptz,
        constraint pk_consumer_generation primary key (consumer)
    )
    """,
)


_TABLES_V2 = (
    """
    create table lost_event (
        event_id uuid not null,
        stream_seq bigint not null,
        type text not null,
        aggregate text not null,
        aggregate_id uuid not null,
        aggregate_version bigint not null,
        occurred_at timestamptz not null,
        payload bytea not null,
        state text not null default 'found'
            constraint ck_lost_event_state check (state in ('found', 'adopted', 'retold', 'withdrawn', 'accepted')),
        settled_at timestamptz,
        constraint pk_lost_event primary key (event_id)
    )
    """,
    "create index ix_lost_event_aggregate on lost_event (aggregate_id) where state = 'found'",
    """
    create table outbox_recovery (
        stream text not null,
        until_seq bigint not null,
        begun_at timestamptz not null default now(),
        ended_at timestamptz
    )
    """,
    "create unique index uq_outbox_recovery_stream on outbox_recovery (stream) where ended_at is null",
    """
    create table consumer_position (
        consumer text collate "C" not null,
        stream text not null,
        stream_created_at timestamptz not null,
        stream_seq bigint not null,
        constraint pk_consumer_position primary key (consumer, stream)
    )
    """,
)


def create_v1(op: Any) -> None:
    """Create the tables by Alembic's `op`, with partitions of the coming days; the worker makes the later ones."""
    for statement in _TABLES_V1:
        op.execute(statement)
    today = datetime.now(UTC).date()
    for table in ("outbox", "inbox"):
        for ahead in range(-1, DAYS_AHEAD + 1):
            day = today + timedelta(days=ahead)
            op.execute(f"create table {partition_name(table, day)} partition of {table} {bounds(table, day)}")


def drop_v1(op: Any) -> None:
    """Drop what `create_v1` made, and every partition made since."""
    for table in ("consumer_generation", "parked", "inbox", "outbox_cursor", "outbox_state", "outbox"):
        op.execute(f"drop table {table}")


def create_v2(op: Any) -> None:
    """Create what notices a database that went back, by Alembic's `op`."""
    for statement in _TABLES_V2:
        op.execute(statement)


def drop_v2(op: Any) -> None:
    """Drop what `create_v2` made."""
    for table in ("consumer_position", "outbox_recovery", "lost_event"):
        op.execute(f"drop table {table}")
