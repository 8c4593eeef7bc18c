"""People, departments and health records."""

from shared.migrate import execute

revision = "personnel_0001"
down_revision = None
branch_labels = ("personnel",)
depends_on = "house_0001"


def upgrade() -> None:
    execute(
        """
        create table institution (
            id integer constraint institution_pkey primary key constraint institution__only_one check (id = 1),
            name text not null,
            version integer not null
        );
        create table department (
            id uuid default uuidv7() constraint department_pkey primary key,
            name text not null constraint department__name_taken unique,
            sort_key text not null,
            parent_id uuid constraint department__parent_id_unknown references department (id),
            head_id uuid,
            reporter_id uuid,
            deputy_id uuid,
            version integer not null,
            constraint department__below_itself check (parent_id <> id)
        );
        create table person (
            id uuid default uuidv7() constraint person_pkey primary key,
            number text not null constraint person__number_taken unique,
            name text not null,
            sort_key text not null,
            findable text not null,
            pieces text[] not null,
            department_id uuid not null constraint person__department_id_unknown references department (id),
            employment text not null constraint person__employment
                check (employment in ('permanent', 'agency', 'contract', 'trainee', 'volunteer')),
            phone text,
            email text,
            born_on date,
            joined_on date,
            left_on date,
            version integer not null,
            created_at timestamptz not null,
            changed_at timestamptz not null,
            constraint person__left_before_joined check (left_on >= joined_on)
        );
        alter table department add constraint department__head_id_unknown foreign key (head_id) references person (id);
        alter table department add constraint department__reporter_id_unknown foreign key (reporter_id) references person (id);
        alter table department add constraint department__deputy_id_unknown foreign key (deputy_id) references person (id);
        create index person_pieces_idx on person using gin (pieces);
        create index person_department_id_idx on person (department_id, sort_key);
        create index person_sort_key_idx on person (sort_key, id);
        create table dose (
            id uuid default uuidv7() constraint dose_pkey primary key,
            person_id uuid not null constraint dose__person_id_unknown references person (id),
            programme text not null,
            product text not null,
            given_on date not null,
            lot text,
            place text,
            source text not null constraint dose__source check (source in ('own_record', 'reported', 'import', 'api')),
            note text,
            corrects_id uuid constraint dose__corrects_id_unknown references dose (id),
            superseded boolean not null,
            withdrawn boolean not null,
            entered_by uuid,
            entered_by_name text not null,
            entered_at timestamptz not null
        );
        create unique index dose__twice on dose (person_id, programme, given_on, product) where not superseded and not withdrawn;
        create unique index dose__corrected_meanwhile on dose (corrects_id) where corrects_id is not null;
        create index dose_person_id_idx on dose (person_id);
        create table exemption (
            id uuid default uuidv7() constraint exemption_pkey primary key,
            person_id uuid not null constraint exemption__person_id_unknown references person (id),
            programme text not null,
            kind text not null constraint exemption__kind check (kind in ('temporary', 'permanent')),
            from_on date not null,
            until_on date,
            issuer text not null,
            certificate boolean not null,
            reason text not null,
            state text not null constraint exemption__state check (state in ('pending', 'approved', 'refused')),
            recorded_by uuid,
            recorded_by_name text not null,
            recorded_at timestamptz not null,
            decided_by uuid,
            decided_by_name text,
            decided_at timestamptz,
            decision_note text,
            constraint exemption__ends_before_it_begins check (until_on >= from_on),
            constraint exemption__own_approval check (decided_by <> recorded_by)
        );
        create index exemption_person_id_idx on exemption (person_id);
        create index exemption_pending_idx on exemption (recorded_at) where state = 'pending';
        create table statement (
            id uuid default uuidv7() constraint statement_pkey primary key,
            person_id uuid not null constraint statement__person_id_unknown references person (id),
            programme text not null,
            kind text not null constraint statement__kind check (kind in ('declined', 'not_started', 'elsewhere')),
            "on" date not null,
            note text,
            recorded_by uuid,
            recorded_by_name text not null,
            recorded_at timestamptz not null
        );
        create index statement_person_id_idx on statement (person_id);
        create table standing (
            person_id uuid not null constraint standing__person_id_unknown references person (id),
            programme text not null,
            from_on date not null,
            until_on date not null,
            code text not null constraint standing__code
                check (code in ('complete', 'due', 'overdue', 'in_progress', 'not_started', 'exempt', 'declined', 'unknown')),
            valid_count integer not null,
            needed_count integer not null,
            next_from_on date,
            next_until_on date,
            exempt_until_on date,
            notes text[] not null,
            constraint standing_pkey primary key (person_id, programme, from_on) include (until_on, code),
            constraint standing__ends_before_it_begins check (until_on > from_on)
        );
        create table fitness (
            person_id uuid not null constraint fitness__person_id_unknown references person (id),
            rule text not null,
            fit_from timestamptz,
            fit_until timestamptz,
            version integer not null,
            constraint fitness_pkey primary key (person_id, rule),
            constraint fitness__ends_before_it_begins check (fit_until > fit_from)
        );
        create table import (
            id uuid default uuidv7() constraint import_pkey primary key,
            file_name text not null,
            cells bytea,
            state text not null constraint import__state
                check (state in ('reading', 'ready', 'committing', 'committed', 'failed', 'abandoned')),
            choices jsonb not null,
            found jsonb not null,
            counts jsonb not null,
            problem jsonb,
            job_id uuid,
            uploaded_by uuid,
            uploaded_by_name text not null,
            uploaded_at timestamptz not null,
            committed_by uuid,
            committed_by_name text,
            committed_at timestamptz
        );
        create table import_sheet (
            import_id uuid not null constraint import_sheet__import_id_unknown references import (id),
            name text not null,
            cells bytea not null,
            found jsonb not null,
            constraint import_sheet_pkey primary key (import_id, name)
        );
        create table import_row (
            import_id uuid not null constraint import_row__import_id_unknown references import (id),
            row_no integer not null,
            outcome text not null constraint import_row__outcome check (outcome in ('new', 'changed', 'same', 'refused')),
            person_id uuid,
            number text,
            name text,
            parsed jsonb not null,
            changes jsonb not null,
            errors jsonb not null,
            warnings jsonb not null,
            seen text,
            constraint import_row_pkey primary key (import_id, row_no)
        );
        create index import_row_outcome_idx on import_row (import_id, outcome, row_no);
        create index import_row_number_idx on import_row (number);
        create index import_row_person_id_idx on import_row (person_id);
        create table remark (
            id uuid default uuidv7() constraint remark_pkey primary key,
            person_id uuid not null constraint remark__person_id_unknown references person (id),
            about text not null constraint remark__about check (about in ('person', 'dose', 'exemption', 'other')),
            text text not null,
            written_at timestamptz not null,
            answer text,
            answered_by_name text,
            answered_at timestamptz
        );
        create index remark_person_id_idx on remark (person_id);
        insert into institution (id, name, version) values (1, '', 1);
        """
    )
