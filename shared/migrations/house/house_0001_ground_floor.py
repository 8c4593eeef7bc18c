"""The ground floor's tables, in each service's schema."""

from shared.migrate import execute

revision = "house_0001"
down_revision = None
branch_labels = ("house",)
depends_on = None


def upgrade() -> None:
    execute(
        """
        create table outbox (
            id bigint generated always as identity constraint outbox_pkey primary key,
            event_id uuid not null constraint outbox__event_id_taken unique,
            subject text not null,
            body bytea not null,
            created_at timestamptz not null,
            sent_at timestamptz
        );
        create index outbox_unsent_idx on outbox (id) where sent_at is null;
        create index outbox_sent_at_idx on outbox (sent_at) where sent_at is not null;
        create table stream_seen (
            stream text constraint stream_seen_pkey primary key,
            created text not null,
            last_seq bigint not null
        );
        create table done (
            handler text not null,
            event_id uuid not null,
            done_at timestamptz not null,
            constraint done_pkey primary key (handler, event_id)
        );
        create index done_done_at_idx on done (done_at);
        create table parked (
            handler text not null,
            event_id uuid not null,
            subject text not null,
            body bytea not null,
            tries integer not null,
            error text not null,
            parked_at timestamptz,
            constraint parked_pkey primary key (handler, event_id)
        );
        create table due (
            kind text not null,
            key text not null,
            due_at timestamptz not null,
            payload jsonb not null,
            tries integer not null,
            retry_at timestamptz,
            parked_at timestamptz,
            error text,
            constraint due_pkey primary key (kind, key)
        );
        create index due_due_at_idx on due (due_at) where parked_at is null;
        create table job (
            id uuid constraint job_pkey primary key,
            kind text not null,
            state text not null constraint job__state check (state in ('waiting', 'running', 'done', 'failed')),
            input jsonb not null,
            done_count integer not null,
            total_count integer not null,
            result jsonb,
            problem jsonb,
            tries integer not null,
            started_by uuid,
            person_id uuid,
            created_at timestamptz not null,
            claimed_until timestamptz,
            ended_at timestamptz
        );
        create index job_open_idx on job (created_at) where state in ('waiting', 'running');
        create table errand (
            id uuid default uuidv7() constraint errand_pkey primary key,
            kind text not null,
            key text not null,
            lane text not null,
            payload jsonb not null,
            state text not null constraint errand__state check (state in ('waiting', 'sent', 'failed')),
            due_at timestamptz not null,
            tries integer not null,
            claimed_until timestamptz,
            error text,
            made_at timestamptz not null,
            ended_at timestamptz
        );
        create unique index errand__twice on errand (kind, key);
        create index errand_lane_idx on errand (lane, due_at) where state = 'waiting';
        create index errand_failed_idx on errand (ended_at) where state = 'failed';
        create table answer (
            caller text not null,
            route text not null,
            key text not null,
            body_hash text not null,
            status integer,
            body bytea,
            given_at timestamptz not null,
            constraint answer_pkey primary key (caller, route, key)
        );
        create index answer_given_at_idx on answer (given_at);
        """
    )
