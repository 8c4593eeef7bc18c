"""Who goes where: teams, operations, shifts and the people on them."""

from shared.migrate import execute

revision = "dispatch_0001"
down_revision = None
branch_labels = ("dispatch",)
depends_on = "house_0001"


def upgrade() -> None:
    execute(
        """
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
        create index known_person_employment_idx on known_person (employment) include (id, sort_key, left_on);
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
        create table known_fitness (
            person_id uuid not null,
            rule text not null,
            fit_from timestamptz,
            fit_until timestamptz,
            version integer not null,
            telling uuid,
            heard_at timestamptz not null,
            constraint known_fitness_pkey primary key (person_id, rule)
        );
        create index known_fitness_rule_idx on known_fitness (rule, person_id) include (fit_from, fit_until);
        create table team (
            id uuid default uuidv7() constraint team_pkey primary key,
            name text not null constraint team__team_name_taken unique,
            leader_id uuid,
            deputy_id uuid,
            requirement text,
            version integer not null
        );
        create table team_member (
            team_id uuid not null constraint team_member__team_id_unknown references team (id),
            person_id uuid not null,
            constraint team_member_pkey primary key (team_id, person_id)
        );
        create index team_member_person_id_idx on team_member (person_id);
        create table operation (
            id uuid default uuidv7() constraint operation_pkey primary key,
            name text not null,
            kind text not null constraint operation__kind check (kind in ('testing', 'gate', 'flood', 'clinic', 'other')),
            place text not null,
            partner text,
            from_on date not null,
            until_on date not null,
            requirement text,
            bring text,
            note text,
            state text not null constraint operation__state check (state in ('planned', 'open', 'ended')),
            version integer not null,
            created_at timestamptz not null,
            constraint operation__ends_before_it_begins check (until_on >= from_on)
        );
        create index operation_from_on_idx on operation (from_on desc, id);
        create table site (
            id uuid default uuidv7() constraint site_pkey primary key,
            operation_id uuid not null constraint site__operation_id_unknown references operation (id),
            name text not null,
            address text,
            leader_id uuid,
            place_in_list integer not null,
            code text not null,
            version integer not null,
            constraint site__site_name_taken unique (operation_id, name)
        );
        create index site_leader_id_idx on site (leader_id) where leader_id is not null;
        create table shift (
            id uuid default uuidv7() constraint shift_pkey primary key,
            operation_id uuid not null constraint shift__operation_id_unknown references operation (id),
            site_id uuid not null constraint shift__site_id_unknown references site (id),
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            leader_id uuid,
            signup boolean not null,
            bring text,
            state text not null constraint shift__state check (state in ('planned', 'open', 'cancelled')),
            reason text,
            version integer not null,
            constraint shift__ends_before_start check (ends_at > starts_at)
        );
        create unique index shift__made_already on shift (site_id, starts_at, ends_at) where state <> 'cancelled';
        create index shift_operation_id_idx on shift (operation_id, starts_at);
        create index shift_leader_id_idx on shift (leader_id, starts_at) where leader_id is not null;
        create index shift_signup_idx on shift (starts_at) where signup and state = 'open';
        create table shift_role (
            shift_id uuid not null constraint shift_role__shift_id_unknown references shift (id),
            name text not null,
            head_count integer not null constraint shift_role__head_count check (head_count >= 0),
            place_in_list integer not null,
            constraint shift_role_pkey primary key (shift_id, name)
        );
        create table assignment (
            id uuid default uuidv7() constraint assignment_pkey primary key,
            shift_id uuid not null constraint assignment__shift_id_unknown references shift (id),
            person_id uuid not null,
            role text not null,
            state text not null constraint assignment__state check
                (state in ('proposed', 'confirmed', 'checked_in', 'checked_out', 'declined', 'released', 'no_show')),
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            walk_on boolean not null,
            late boolean not null,
            asked_at timestamptz not null,
            answered_at timestamptz,
            reason text,
            override_reason text,
            override_by uuid,
            override_by_name text,
            checked_in_at timestamptz,
            checked_out_at timestamptz,
            version integer not null,
            constraint assignment__role_unknown foreign key (shift_id, role) references shift_role (shift_id, name),
            constraint assignment__left_before_coming check (checked_out_at >= checked_in_at)
        );
        create unique index assignment__on_it_already on assignment (shift_id, person_id) where state not in ('declined', 'released');
        create index assignment_shift_id_idx on assignment (shift_id, role) include (state, person_id);
        create index assignment_coming_idx on assignment (person_id, starts_at) where state in ('proposed', 'confirmed', 'checked_in');
        create index assignment_person_id_idx on assignment (person_id, ends_at) include (starts_at, state);
        create table time_correction (
            id uuid default uuidv7() constraint time_correction_pkey primary key,
            assignment_id uuid not null constraint time_correction__assignment_id_unknown references assignment (id),
            old_checked_in_at timestamptz not null,
            old_checked_out_at timestamptz,
            checked_in_at timestamptz not null,
            checked_out_at timestamptz,
            reason text not null,
            corrected_by uuid,
            corrected_by_name text not null,
            corrected_at timestamptz not null
        );
        create index time_correction_assignment_id_idx on time_correction (assignment_id, corrected_at);
        create table open_place (
            assignment_id uuid constraint open_place_pkey primary key
                constraint open_place__assignment_id_unknown references assignment (id),
            shift_id uuid not null constraint open_place__shift_id_unknown references shift (id),
            person_id uuid not null,
            role text not null,
            because text not null constraint open_place__because check
                (because in ('declined', 'left', 'unfit', 'unavailable', 'duty', 'released')),
            state text not null constraint open_place__state check (state in ('open', 'filled', 'closed')),
            opened_at timestamptz not null,
            filled_by uuid,
            closed_at timestamptz
        );
        create index open_place_open_idx on open_place (shift_id, role, opened_at) where state = 'open';
        create table sample_count (
            id uuid default uuidv7() constraint sample_count_pkey primary key,
            site_id uuid not null constraint sample_count__site_id_unknown references site (id),
            "on" date not null,
            hour integer not null constraint sample_count__hour check (hour between 0 and 23),
            samples integer not null constraint sample_count__samples check (samples >= 0),
            superseded boolean not null,
            entered_by uuid,
            entered_by_name text not null,
            entered_at timestamptz not null
        );
        create unique index sample_count__corrected_meanwhile on sample_count (site_id, "on", hour) where not superseded;
        """
    )
