-- The audit of one service's database, made by the superuser in it; all of it may be run again.
--
-- Everything here belongs to the role `<service>_audit`, which nobody can sign in as. The service's own role, which owns
-- the database, may add entries and read; it can neither change nor remove one, nor the tables, nor what seals them.
-- Positions and hashes are given by `audit.seal()` alone, to what is committed, in the order in which it sees it.
begin;

-- The service owns this database and may have set a search path for it, or made a function of a name that is used here.
set local search_path = pg_catalog, pg_temp;

do $$
declare
    service name := pg_get_userbyid(datdba) from pg_database where datname = current_database();
    keeper name := service || '_audit';
begin
    if not exists (select from pg_roles where rolname = keeper) then
        begin
            execute format('create role %I nologin', keeper);
        exception when duplicate_object or unique_violation then null; -- another database's was made at this moment
        end;
    end if;
    execute format('create schema if not exists audit authorization %I', keeper);
    execute format('set local role %I', keeper);
end
$$;

set local client_min_messages = warning;

create table if not exists audit.origin (
    only_row boolean not null default true constraint pk_origin primary key constraint ck_origin_only_row check (only_row),
    service text not null,
    revision integer not null
);

-- Of each day that something was sealed on: what its chain begins from, how long it is, and where it ends. It stays
-- when the day's entries went, so that the days go on being one chain.
create table if not exists audit.day (
    day date not null constraint pk_day primary key,
    previous_day date,
    genesis bytea not null,
    count bigint not null,
    head bytea not null,
    forgotten_at timestamptz
);

create table if not exists audit.entry (
    id bigint generated always as identity constraint pk_entry primary key,
    recorded_at timestamptz not null default clock_timestamp(),
    happened_at timestamptz not null constraint ck_entry_happened_at check (
        happened_at >= '2000-01-01 00:00+00' and happened_at < '2200-01-01 00:00+00'
    ),
    action text not null,
    decision text not null constraint ck_entry_decision check (decision in ('allowed', 'refused')),
    purpose text,
    rule text,
    actor uuid,
    actor_role text,
    actor_organisation_id uuid,
    on_behalf_of uuid,
    assist_id uuid,
    subject uuid,
    object_id uuid,
    organisation_id uuid,
    day date,
    position bigint,
    previous bytea,
    hash bytea,
    constraint ck_entry_codes check ( -- a bound in the patterns would cost forty times as much
        action !~ '[^A-Za-z0-9._-]' and length(action) between 1 and 64
        and purpose !~ '[^A-Za-z0-9._-]' and length(purpose) between 1 and 64
        and rule !~ '[^A-Za-z0-9._-]' and length(rule) between 1 and 64
        and actor_role !~ '[^A-Za-z0-9._-]' and length(actor_role) between 1 and 64
    ),
    constraint ck_entry_sealed check (num_nulls(day, position, previous, hash) in (0, 4))
);
-- How often a thing was tried in the hour that began at `happened_at`, where tries are counted and not told one by one.
alter table audit.entry add column if not exists times bigint constraint ck_entry_times check (times > 0);
create index if not exists ix_entry_unsealed on audit.entry (id) where day is null;
create unique index if not exists uq_entry_position on audit.entry (day, position) where day is not null;
create index if not exists ix_entry_subject on audit.entry (subject, id) where subject is not null;

-- Tries of people without any such permission, by hour and actor, until the hour is over and they become an entry each.
create table if not exists audit.refusal (
    hour timestamptz not null,
    actor uuid not null,
    action text not null constraint ck_refusal_action check (
        action !~ '[^A-Za-z0-9._-]' and length(action) between 1 and 64
    ),
    times bigint not null,
    constraint pk_refusal primary key (hour, actor, action)
);

-- What the service told its witness of a day's chain, and when.
create table if not exists audit.checkpoint (
    day date not null constraint fk_checkpoint_day_day references audit.day (day),
    number bigint not null,
    count bigint not null,
    head bytea not null,
    root bytea not null,
    made_at timestamptz not null,
    constraint pk_checkpoint primary key (day, number)
);

-- What this service has witnessed of others, signed with a key that those lack.
create table if not exists audit.witness_key (
    key_id text not null constraint pk_witness_key primary key,
    public_key bytea not null,
    wrapped bytea not null,
    made_at timestamptz not null default clock_timestamp()
);
create table if not exists audit.witness (
    service text not null,
    day date not null,
    number bigint not null,
    count bigint not null,
    head bytea not null,
    root bytea not null,
    witnessed_at timestamptz not null,
    key_id text not null constraint fk_witness_key_id_witness_key references audit.witness_key (key_id),
    signature bytea not null,
    event_id uuid not null, -- numbers begin anew in a service that was restored from a dump
    constraint pk_witness primary key (service, day, number, event_id)
);

-- The canonical JSON of an entry (RFC 8785): keys in order, nothing absent, no space. `audit.chain.canonical` is its twin.
create or replace function audit.canonical(e audit.entry) returns text language sql stable
set search_path = pg_catalog, pg_temp
return '{' || concat_ws(',',
    '"action":"' || e.action || '"',
    '"actor":"' || e.actor || '"',
    '"actor_organisation_id":"' || e.actor_organisation_id || '"',
    '"actor_role":"' || e.actor_role || '"',
    '"assist_id":"' || e.assist_id || '"',
    '"decision":"' || e.decision || '"',
    '"happened_at":"' || to_char(e.happened_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"',
    '"id":' || e.id,
    '"object_id":"' || e.object_id || '"',
    '"on_behalf_of":"' || e.on_behalf_of || '"',
    '"organisation_id":"' || e.organisation_id || '"',
    '"purpose":"' || e.purpose || '"',
    '"recorded_at":"' || to_char(e.recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"',
    '"rule":"' || e.rule || '"',
    '"subject":"' || e.subject || '"',
    '"times":' || e.times
) || '}';

-- Counts one try more, of this hour.
create or replace function audit.count_refusal(who uuid, what text) returns void language sql volatile security definer
set search_path = pg_catalog, pg_temp
begin atomic
    insert into audit.refusal as counted (hour, actor, action, times)
    values (date_trunc('hour', clock_timestamp(), 'UTC'), who, what, 1)
    on conflict (hour, actor, action) do update set times = counted.times + 1;
end;

-- Appends committed entries to the day's chain, at most so many, and gives how many. A day is that of the sealing, in
-- China; it never goes back, so that a day's head is final once the next has begun.
create or replace function audit.seal(most integer) returns integer language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    today date := (clock_timestamp() at time zone 'UTC' + interval '8 hours')::date;
    chain audit.day;
    before audit.day;
    each audit.entry;
    sealed integer := 0;
    link bytea;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit.seal', 0));
    with over as (delete from audit.refusal where hour < date_trunc('hour', clock_timestamp(), 'UTC') returning *)
    insert into audit.entry (happened_at, action, decision, rule, actor, times)
    select hour, action, 'refused', 'permission_missing', actor, times from over order by hour, actor, action;
    if not exists (select from audit.entry where day is null) then
        return 0;
    end if;
    select * into chain from audit.day order by day desc limit 1;
    if chain.day is null or chain.day < today then
        before := chain;
        chain := null;
        chain.day := today;
        chain.previous_day := before.day;
        chain.genesis := sha256(convert_to(
            '{' || concat_ws(',',
                '"day":"' || to_char(today, 'YYYY-MM-DD') || '"',
                '"previous_day":"' || to_char(before.day, 'YYYY-MM-DD') || '"',
                '"previous_head":"' || encode(before.head, 'hex') || '"',
                '"service":"' || (select service from audit.origin) || '"'
            ) || '}', 'UTF8'));
        chain.count := 0;
        chain.head := chain.genesis;
        insert into audit.day (day, previous_day, genesis, count, head)
        values (chain.day, chain.previous_day, chain.genesis, chain.count, chain.head);
    end if;
    for each in select * from audit.entry where day is null order by id limit most loop
        link := sha256(chain.head || convert_to(audit.canonical(each), 'UTF8'));
        chain.count := chain.count + 1;
        update audit.entry set day = chain.day, position = chain.count, previous = chain.head, hash = link
        where id = each.id;
        chain.head := link;
        sealed := sealed + 1;
    end loop;
    update audit.day set count = chain.count, head = chain.head where day = chain.day;
    return sealed;
end
$$;

-- Keeps that the witness is told of a day's first `told_count` entries, and gives the checkpoint's number and their last
-- hash. Nobody can say that more was told than is sealed, and so keep the witness from hearing of it.
create or replace function audit.tell(told_day date, told_count bigint, told_root bytea, out number bigint, out head bytea)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('audit.tell', 0));
    select e.hash into strict head from audit.entry e where e.day = told_day and e.position = told_count;
    select coalesce(max(c.number), 0) + 1 into number from audit.checkpoint c where c.day = told_day;
    insert into audit.checkpoint (day, number, count, head, root, made_at)
    values (told_day, tell.number, told_count, tell.head, told_root, clock_timestamp());
end
$$;

-- Removes the entries of days before `until`, and gives how many; refuses a day younger than 180 days.
create or replace function audit.forget(until date) returns bigint language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp as $$
declare
    today date := (clock_timestamp() at time zone 'UTC' + interval '8 hours')::date;
    gone bigint;
begin
    if until > today - 180 then
        raise exception 'the audit is kept for 180 days; % is too late', until using errcode = 'insufficient_privilege';
    end if;
    delete from audit.entry where day < until;
    get diagnostics gone = row_count;
    update audit.day set forgotten_at = clock_timestamp() where day < until and forgotten_at is null;
    return gone;
end
$$;

do $$
declare
    service name := pg_get_userbyid(datdba) from pg_database where datname = current_database();
begin
    insert into audit.origin (service, revision) values (service, 2)
    on conflict (only_row) do update set revision = excluded.revision;
    revoke all on all tables in schema audit from public;
    revoke all on all functions in schema audit from public;
    execute format('grant usage on schema audit to %I', service);
    execute format('grant select on all tables in schema audit to %I', service);
    -- Not the id, the time of recording, or anything of the chain: those are the database's to give.
    execute format(
        'grant insert (happened_at, action, decision, purpose, rule, actor, actor_role, actor_organisation_id, '
        'on_behalf_of, assist_id, subject, object_id, organisation_id) on audit.entry to %I', service);
    execute format('revoke insert on audit.checkpoint from %I', service);
    execute format('grant insert on audit.witness_key, audit.witness to %I', service);
    execute format(
        'grant execute on function audit.seal(integer), audit.tell(date, bigint, bytea), audit.forget(date), '
        'audit.count_refusal(uuid, text) to %I',
        service);
end
$$;

commit;
