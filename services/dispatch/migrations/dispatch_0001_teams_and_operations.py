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
        """
    )
