"""Accounts and how people get in, sessions, roles, API clients, looks, and what personnel told."""

from alembic import op

revision = "identity_0001"
down_revision = None
branch_labels = ("identity",)
depends_on = None

_WHO_COMES_IN = """
create table system (
    id integer constraint system_pkey primary key constraint system__one_row check (id = 1),
    demo boolean not null,
    began_at timestamptz not null,
    set_up_at timestamptz
);
create table setup_code (
    id uuid default uuidv7() constraint setup_code_pkey primary key,
    code_hash bytea not null constraint setup_code__code_hash_taken unique,
    place text not null constraint setup_code__place check (place in ('administrator', 'health', 'any')),
    printed_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    used_for text[] not null
);
create table account (
    id uuid default uuidv7() constraint account_pkey primary key,
    person_id uuid constraint account__person_id_taken unique,
    username text constraint account__username_taken unique,
    name text not null,
    password_hash text,
    password_changed_at timestamptz,
    created_at timestamptz not null,
    constraint account__of_nobody check (person_id is not null or username is not null)
);
create table acceptance (
    account_id uuid not null constraint acceptance__account_id_unknown references account on delete cascade,
    notice_version text not null,
    accepted_at timestamptz not null,
    constraint acceptance_pkey primary key (account_id, notice_version)
);
create table activation (
    id uuid default uuidv7() constraint activation_pkey primary key,
    person_id uuid not null,
    state text not null constraint activation__state check (state in ('waiting', 'open', 'used', 'ended', 'refused')),
    code_hash bytea constraint activation__code_hash_taken unique,
    asked_by uuid not null,
    asked_at timestamptz not null,
    decided_by uuid,
    decided_at timestamptz,
    expires_at timestamptz,
    wrong_count integer not null,
    used_at timestamptz,
    constraint activation__second_person check (decided_by is null or decided_by <> asked_by)
);
create index activation_person_id_idx on activation (person_id);
create unique index activation__already_waiting on activation (person_id) where state = 'waiting';
create unique index activation__already_open on activation (person_id) where state = 'open';
create table session (
    id uuid default uuidv7() constraint session_pkey primary key,
    account_id uuid not null constraint session__account_id_unknown references account on delete cascade,
    secret_hash bytea not null constraint session__secret_hash_taken unique,
    kind text not null constraint session__kind check (kind in ('phone', 'desk')),
    device text not null,
    address text not null,
    signed_in_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index session_account_id_idx on session (account_id);
create table sign_in (
    id uuid default uuidv7() constraint sign_in_pkey primary key,
    at timestamptz not null,
    account_id uuid constraint sign_in__account_id_unknown references account on delete cascade,
    outcome text not null,
    kind text not null,
    device text not null,
    address text not null,
    session_id uuid
);
create index sign_in_at_idx on sign_in (at);
create index sign_in_account_id_idx on sign_in (account_id);
create table known_device (
    key_hash bytea not null,
    account_id uuid not null constraint known_device__account_id_unknown references account on delete cascade,
    used_at timestamptz not null,
    constraint known_device_pkey primary key (key_hash, account_id)
);
create index known_device_account_id_idx on known_device (account_id);
create table lockout (
    key bytea constraint lockout_pkey primary key,
    account_id uuid constraint lockout__account_id_unknown references account on delete cascade,
    wrong_count integer not null,
    last_wrong_at timestamptz not null,
    locked_until timestamptz
);
create index lockout_account_id_idx on lockout (account_id);
create table bucket (
    key bytea constraint bucket_pkey primary key,
    tokens double precision not null,
    filled_at timestamptz not null,
    taken boolean not null
);
create index bucket_filled_at_idx on bucket (filled_at);
"""

_WHAT_THEY_MAY = """
create table role (
    id uuid default uuidv7() constraint role_pkey primary key,
    person_id uuid,
    account_id uuid constraint role__account_id_unknown references account on delete cascade,
    role text not null constraint role__role check (role in ('health', 'duty_planner', 'coordinator', 'leader', 'administrator')),
    state text not null constraint role__state check (state in ('waiting', 'given', 'refused', 'ended')),
    asked_by uuid,
    asked_at timestamptz not null,
    decided_by uuid,
    decided_at timestamptz,
    ended_by uuid,
    ended_at timestamptz,
    constraint role__of_one check (num_nonnulls(person_id, account_id) = 1),
    constraint role__second_person check (role not in ('health', 'leader') or decided_by is null or decided_by <> asked_by)
);
create index role_person_id_idx on role (person_id);
create index role_account_id_idx on role (account_id);
create unique index role__already_given on role (coalesce(person_id, account_id), role) where state in ('waiting', 'given');
create table client (
    id uuid default uuidv7() constraint client_pkey primary key,
    name text not null,
    scopes text[] not null,
    expires_on date not null,
    state text not null constraint client__state check (state in ('waiting', 'open', 'refused', 'ended')),
    asked_by uuid not null,
    asked_at timestamptz not null,
    decided_by uuid,
    decided_at timestamptz,
    version integer not null,
    constraint client__second_person check (decided_by is null or decided_by <> asked_by)
);
create unique index client__name_taken on client (lower(name)) where state in ('waiting', 'open');
create table client_key (
    id text constraint client_key_pkey primary key,
    client_id uuid not null constraint client_key__client_id_unknown references client on delete cascade,
    secret_hash bytea,
    state text not null constraint client_key__state check (state in ('waiting', 'open', 'ended')),
    made_by uuid not null,
    made_at timestamptz not null,
    approved_by uuid,
    expires_on date not null,
    last_used_at timestamptz,
    constraint client_key__secret check ((state <> 'waiting' or secret_hash is null) and (state <> 'open' or secret_hash is not null)),
    constraint client_key__second_person check (approved_by is null or approved_by <> made_by)
);
create index client_key_client_id_idx on client_key (client_id);
create table look (
    id uuid default uuidv7() constraint look_pkey primary key,
    looked_at timestamptz not null,
    account_id uuid,
    client_id uuid,
    looker_id uuid,
    looker_name text not null,
    what text not null,
    person_ids uuid[] not null,
    people_count integer not null,
    filter jsonb not null,
    purpose text not null
);
create index look_looked_at_idx on look (looked_at);
create index look_person_ids_idx on look using gin (person_ids);
"""

_WHAT_PERSONNEL_TOLD = """
create table known_person (
    id uuid constraint known_person_pkey primary key,
    number text not null,
    name text not null,
    sort_key text not null,
    department_id uuid not null,
    employment text not null,
    left_on date,
    version integer not null,
    telling uuid,
    heard_at timestamptz not null
);
create index known_person_number_idx on known_person (lower(number));
create index known_person_department_id_idx on known_person (department_id);
create table known_proof (
    person_id uuid constraint known_proof_pkey primary key,
    phone_last4 text,
    version integer not null,
    telling uuid,
    heard_at timestamptz not null
);
create table known_duty (
    id uuid constraint known_duty_pkey primary key,
    person_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    gives_rights boolean not null,
    state text not null,
    version integer not null,
    heard_at timestamptz not null
);
create index known_duty_person_id_idx on known_duty (person_id);
create table known_department (
    id uuid constraint known_department_pkey primary key,
    name text not null,
    parent_id uuid,
    head_id uuid,
    reporter_id uuid,
    deputy_id uuid,
    version integer not null,
    telling uuid,
    heard_at timestamptz not null
);
create index known_department_parent_id_idx on known_department (parent_id);
create index known_department_head_id_idx on known_department (head_id);
create index known_department_reporter_id_idx on known_department (reporter_id);
create index known_department_deputy_id_idx on known_department (deputy_id);
"""


def upgrade() -> None:
    for script in (_WHO_COMES_IN, _WHAT_THEY_MAY, _WHAT_PERSONNEL_TOLD):
        for statement in script.split(";"):  # the driver takes one at a time
            if statement.strip():
                op.execute(statement)
