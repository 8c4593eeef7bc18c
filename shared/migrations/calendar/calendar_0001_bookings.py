"""A person's time: one table that several services write, each only its own rows."""

from shared.migrate import execute

revision = "calendar_0001"
down_revision = None
branch_labels = ("calendar",)
depends_on = None


def upgrade() -> None:
    execute(
        """
        create table booking (
            owner text not null default current_user,
            ref uuid not null,
            person_id uuid not null,
            during tstzrange not null,
            kind text not null,
            counted_hours double precision constraint booking__counted_hours check (counted_hours >= 0),
            rest_hours double precision constraint booking__rest_hours check (rest_hours between 0 and 168),
            begins_at timestamptz not null generated always as (coalesce(lower(during), '-infinity')) stored,
            ends_at timestamptz not null generated always as (coalesce(upper(during), 'infinity')) stored,
            hours double precision generated always as
                (coalesce(counted_hours, extract(epoch from upper(during) - lower(during))::double precision / 3600)) stored,
            constraint booking_pkey primary key (owner, ref),
            constraint booking__kind_of_its_owner
                check ((owner, kind) in (('duty', 'duty'), ('dispatch', 'assignment'), ('personnel', 'unavailable'))),
            constraint booking__ends_before_it_begins check (not isempty(during)),
            constraint booking__overlap exclude using gist (person_id with =, during with &&) where (kind <> 'unavailable')
        );
        create index booking_person_id_idx on booking (person_id, ends_at) include (begins_at, kind, hours);
        create index booking_during_idx on booking using gist (during);
        create index booking_rest_hours_idx on booking using gist (during) where rest_hours is not null;
        alter table booking enable row level security;
        create policy seen on booking for select using (true);
        create policy own_made on booking for insert with check (owner = current_user);
        create policy own_changed on booking for update using (owner = current_user);
        create policy own_released on booking for delete using (owner = current_user);
        grant usage on schema calendar to duty, dispatch, personnel;
        grant select, insert, update, delete on booking to duty, dispatch, personnel;
        """
    )
