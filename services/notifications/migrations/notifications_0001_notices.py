"""Who has been told: notices, acknowledgements, alerts and what leaves the house."""

from shared.migrate import execute

revision = "notifications_0001"
down_revision = None
branch_labels = ("notifications",)
depends_on = "house_0001"


def upgrade() -> None:
    execute(
        """
        create table notice (
            id uuid default uuidv7() constraint notice_pkey primary key,
            kind text not null constraint notice__kind_unknown check (kind in ('order', 'information', 'alert')),
            title text not null,
            text text not null,
            title_en text,
            text_en text,
            audience_kind text not null,
            audience_ids uuid[] not null,
            deadline_at timestamptz,
            asks_done boolean not null,
            done_deadline_at timestamptz,
            mail boolean not null,
            about_health boolean not null default false,
            head_count integer not null constraint notice__nobody check (head_count > 0),
            issued_by uuid,
            issued_by_name text not null,
            issued_at timestamptz not null,
            withdrawn_at timestamptz,
            withdrawn_by_name text,
            withdrawn_reason text
        );
        create index notice_issued_by_idx on notice (issued_by);
        create index notice_issued_at_idx on notice (issued_at);
        create table recipient (
            person_id uuid not null,
            notice_id uuid not null,
            department_id uuid not null,
            told_at timestamptz not null,
            opened_at timestamptz,
            read_at timestamptz,
            recorded_at timestamptz,
            corrected_at timestamptz,
            done_at timestamptz,
            late boolean not null default false,
            done_late boolean not null default false,
            constraint recipient_pkey primary key (person_id, notice_id)
        ) with (fillfactor = 60);
        create index recipient_notice_id_department_id_idx on recipient (notice_id, department_id);
        create table notice_department (
            notice_id uuid not null constraint notice_department__notice_id_unknown references notice,
            department_id uuid not null,
            told_count integer not null,
            opened_count integer not null,
            read_count integer not null,
            by_head_count integer not null,
            done_count integer not null,
            late_count integer not null,
            done_late_count integer not null,
            constraint notice_department_pkey primary key (notice_id, department_id)
        ) with (fillfactor = 60);
        create index notice_department_department_id_idx on notice_department (department_id);
        create table record (
            id uuid default uuidv7() constraint record_pkey primary key,
            notice_id uuid not null constraint record__notice_id_unknown references notice,
            person_id uuid not null,
            department_id uuid not null,
            method text not null constraint record__method_unknown check (method in ('group_chat', 'in_person', 'meeting')),
            note text,
            recorded_by uuid,
            recorded_by_name text not null,
            recorded_at timestamptz not null,
            constraint record__recorded_already unique (notice_id, person_id)
        );
        create table correction (
            record_id uuid constraint correction_pkey primary key constraint correction__record_id_unknown references record,
            reason text not null,
            corrected_by_name text not null,
            corrected_at timestamptz not null
        );
        create table reminder (
            notice_id uuid not null constraint reminder__notice_id_unknown references notice,
            kind text not null,
            reminded_at timestamptz not null,
            missing_count integer not null,
            constraint reminder_pkey primary key (notice_id, kind)
        );
        create table alert (
            id uuid default uuidv7() constraint alert_pkey primary key,
            kind text not null,
            ref text not null,
            notice_id uuid,
            department_id uuid,
            params jsonb not null,
            opened_at timestamptz not null,
            closed_at timestamptz,
            closed_by uuid,
            constraint alert__ref_taken unique (kind, ref)
        );
        create table alert_person (
            person_id uuid not null,
            alert_id uuid not null constraint alert_person__alert_id_unknown references alert,
            seen_at timestamptz,
            constraint alert_person_pkey primary key (person_id, alert_id)
        );
        create index alert_person_alert_id_idx on alert_person (alert_id);
        create table delivery (
            errand_id uuid constraint delivery_pkey primary key,
            notice_id uuid not null constraint delivery__notice_id_unknown references notice,
            person_id uuid not null,
            why text not null,
            ended_at timestamptz not null,
            error text
        );
        create index delivery_notice_id_person_id_idx on delivery (notice_id, person_id);
        create table webhook (
            id uuid default uuidv7() constraint webhook_pkey primary key,
            url text not null,
            kind text not null,
            secret text not null,
            made_by_name text not null,
            made_at timestamptz not null,
            ended_at timestamptz
        );
        """
    )
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
        create table known_contact (
            person_id uuid constraint known_contact_pkey primary key,
            phone text,
            email text,
            version integer not null,
            telling uuid,
            heard_at timestamptz not null
        );
        create table known_holder (
            person_id uuid constraint known_holder_pkey primary key,
            roles text[] not null,
            version integer not null,
            heard_at timestamptz not null
        );
        create table known_team (
            id uuid constraint known_team_pkey primary key,
            name text not null,
            leader_id uuid,
            deputy_id uuid,
            member_ids uuid[] not null,
            version integer not null,
            heard_at timestamptz not null
        );
        create table known_shift (
            id uuid constraint known_shift_pkey primary key,
            operation_name text not null,
            site_name text not null,
            starts_at timestamptz not null,
            ends_at timestamptz not null,
            leader_id uuid,
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
            version integer not null,
            heard_at timestamptz not null
        );
        create index known_assignment_shift_id_idx on known_assignment (shift_id);
        create index known_assignment_person_id_idx on known_assignment (person_id);
        """
    )
    _keep_what_was_answered()
    _count_answers()


def _keep_what_was_answered() -> None:
    """What was acknowledged is never edited or deleted: the database says no, whoever asks."""
    execute(
        """
        create function refuse_to_edit() returns trigger language plpgsql as $$
        begin raise exception using errcode = 'check_violation', constraint = tg_table_name || '__never_edited',
            message = 'what was acknowledged is never edited'; end $$;
        create trigger recipient_never_edited before update on recipient for each row when (
            new.person_id <> old.person_id or new.notice_id <> old.notice_id or new.department_id <> old.department_id
            or new.told_at <> old.told_at
            or (old.opened_at is not null and new.opened_at is distinct from old.opened_at)
            or (old.read_at is not null and new.read_at is distinct from old.read_at)
            or (old.recorded_at is not null and new.recorded_at is distinct from old.recorded_at)
            or (old.corrected_at is not null and new.corrected_at is distinct from old.corrected_at)
            or (old.done_at is not null and (new.done_at is distinct from old.done_at or new.done_late <> old.done_late))
            or (old.read_at is not null and new.late <> old.late and new.corrected_at is not distinct from old.corrected_at)
        ) execute function refuse_to_edit();
        create trigger recipient_never_deleted before delete on recipient for each row execute function refuse_to_edit();
        create trigger notice_never_edited before update on notice for each row when (
            (new.kind, new.title, new.text, new.audience_kind, new.audience_ids, new.asks_done, new.head_count, new.issued_at)
                <> (old.kind, old.title, old.text, old.audience_kind, old.audience_ids, old.asks_done, old.head_count, old.issued_at)
            or (new.title_en, new.text_en, new.deadline_at, new.done_deadline_at, new.issued_by)
                is distinct from (old.title_en, old.text_en, old.deadline_at, old.done_deadline_at, old.issued_by)
            or (old.withdrawn_at is not null and new.withdrawn_at is distinct from old.withdrawn_at)
        ) execute function refuse_to_edit();
        create trigger notice_never_deleted before delete on notice for each row execute function refuse_to_edit();
        create trigger record_never_edited before update on record for each row when (
            (new.id, new.notice_id, new.person_id, new.department_id, new.method, new.recorded_at)
                <> (old.id, old.notice_id, old.person_id, old.department_id, old.method, old.recorded_at)
            or new.recorded_by is distinct from old.recorded_by
            or (new.note is not null and new.note is distinct from old.note)
            or (new.recorded_by_name <> '' and new.recorded_by_name <> old.recorded_by_name)
        ) execute function refuse_to_edit();
        create trigger record_never_deleted before delete on record for each row execute function refuse_to_edit();
        create trigger correction_never_edited before update or delete on correction for each row execute function refuse_to_edit();
        """
    )


def _count_answers() -> None:
    """The counts of a department change in the transaction of the answer, so that a look at the progress reads a row a department
    and is right at every instant; at its very end, so that a department's answers wait for each other's commit alone and never for the
    time in which a request thinks. By head: recorded, not corrected, and not acknowledged by the person."""
    execute(
        """
        create function count_answers() returns trigger language plpgsql as $$
        begin update notice_department set
                opened_count = opened_count + (new.opened_at is not null)::int - (old.opened_at is not null)::int,
                read_count = read_count + (new.read_at is not null)::int - (old.read_at is not null)::int,
                by_head_count = by_head_count
                    + (new.recorded_at is not null and new.corrected_at is null and new.read_at is null)::int
                    - (old.recorded_at is not null and old.corrected_at is null and old.read_at is null)::int,
                done_count = done_count + (new.done_at is not null)::int - (old.done_at is not null)::int,
                late_count = late_count + new.late::int - old.late::int,
                done_late_count = done_late_count + new.done_late::int - old.done_late::int
            where notice_id = new.notice_id and department_id = new.department_id; return null; end $$;
        create constraint trigger recipient_counted after update on recipient deferrable initially deferred
            for each row execute function count_answers();
        """
    )
