"""Who is on duty: posts, rosters and the duties in them."""

from shared.migrate import execute

revision = "duty_0001"
down_revision = None
branch_labels = ("duty",)
depends_on = "house_0001"


def upgrade() -> None:
    execute(
        """
        create table post (
            id uuid constraint post_pkey primary key,
            name text not null,
            starts_at_time text not null constraint post__not_a_time check (starts_at_time ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
            hours double precision not null constraint post__hours check (hours > 0 and hours <= 24),
            head_count integer not null constraint post__head_count check (head_count between 1 and 50),
            gives_rights boolean not null,
            counted_hours double precision constraint post__counted_hours check (counted_hours between 0 and hours),
            rest_hours double precision constraint post__rest_hours check (rest_hours between 0 and 168),
            pool_departments uuid[] not null,
            pool_people uuid[] not null,
            place_in_list integer not null,
            retired boolean not null,
            version integer not null
        );
        create unique index post__name_taken on post (name) where not retired;
        create table roster (
            monday date constraint roster_pkey primary key constraint roster__no_monday check (extract(isodow from monday) = 1),
            state text not null constraint roster__state check (state in ('draft', 'published')),
            posts jsonb,
            version integer not null,
            published_at timestamptz,
            published_by uuid,
            constraint roster__published check ((state = 'published') = (posts is not null and published_at is not null))
        );
        create table duty (
            id uuid constraint duty_pkey primary key,
            monday date not null constraint duty__monday_unknown references roster,
            post_id uuid not null constraint duty__post_id_unknown references post,
            "on" date not null constraint duty__on check ("on" between monday and monday + 6),
            place integer not null,
            person_id uuid not null,
            post_name text not null,
            gives_rights boolean not null,
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            state text not null constraint duty__state check (state in ('draft', 'published', 'released')),
            relieved_at timestamptz,
            version integer not null,
            constraint duty__ends_before_it_begins check (starts_at < ends_at)
        );
        create unique index duty__place_taken on duty (monday, post_id, "on", place) where state <> 'released' and relieved_at is null;
        create index duty_person_id_ends_at_idx on duty (person_id, ends_at);
        create index duty_ends_at_idx on duty (ends_at);
        create table amendment (
            id uuid constraint amendment_pkey primary key,
            monday date not null constraint amendment__monday_unknown references roster,
            post_id uuid not null,
            post_name text not null,
            "on" date not null,
            place integer not null,
            old_person_id uuid,
            new_person_id uuid,
            because text not null constraint amendment__because check (because in ('amended', 'filled', 'left', 'unavailable')),
            reason text not null,
            by_id uuid,
            by_name text not null,
            at timestamptz not null,
            constraint amendment__reason_needed check (because <> 'amended' or reason <> '')
        );
        create index amendment_monday_idx on amendment (monday);
        create table gap (
            id uuid constraint gap_pkey primary key,
            monday date not null constraint gap__monday_unknown references roster,
            post_id uuid not null,
            "on" date not null,
            place integer not null,
            person_id uuid not null,
            because text not null constraint gap__because check (because in ('left', 'unavailable')),
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            opened_at timestamptz not null,
            filled_at timestamptz,
            filled_by uuid,
            constraint gap__filled check ((filled_at is null) = (filled_by is null))
        );
        create index gap_monday_idx on gap (monday);
        create unique index gap__open_already on gap (monday, post_id, "on", place) where filled_at is null;
        create table feed (
            id uuid constraint feed_pkey primary key,
            person_id uuid not null,
            secret_hash text not null constraint feed__secret_hash_taken unique,
            made_at timestamptz not null,
            ended_at timestamptz
        );
        create index feed_person_id_idx on feed (person_id);
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
        create index known_person_department_id_idx on known_person (department_id);
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
        create table known_shift (
            id uuid constraint known_shift_pkey primary key,
            operation_name text not null,
            site_name text not null,
            state text not null,
            version integer not null,
            heard_at timestamptz not null
        );
        create table known_assignment (
            id uuid constraint known_assignment_pkey primary key,
            shift_id uuid not null,
            person_id uuid not null,
            role text not null,
            state text not null,
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            version integer not null,
            heard_at timestamptz not null
        );
        create index known_assignment_person_id_idx on known_assignment (person_id, ends_at);
        """
    )
