"""identity's schema on one page: accounts and how people get in, sessions, roles, API clients, looks, and what personnel told."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import TYPES, metadata
from shared.known import DepartmentColumns, PersonColumns


class Table(DeclarativeBase):
    """Base of identity's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = {**TYPES, list[str]: ARRAY(Text), list[UUID]: ARRAY(PgUuid(as_uuid=True)), bytes: LargeBinary, str: Text}


def _fresh_id() -> Any:
    return mapped_column(primary_key=True, server_default=text("uuidv7()"))


class System(Table):
    """The one row that says what this system is; a demo can never become a real one."""

    __tablename__ = "system"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    demo: Mapped[bool]
    began_at: Mapped[datetime]
    set_up_at: Mapped[datetime | None]


class SetupCode(Table):
    """A code that only the operator prints: one makes an administrator, one takes a second person's place while there is none."""

    __tablename__ = "setup_code"
    id: Mapped[UUID] = _fresh_id()
    code_hash: Mapped[bytes] = mapped_column(unique=True)
    place: Mapped[str]  # administrator, health; any: a demo's, whose loader is both
    printed_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    used_for: Mapped[list[str]]


class Account(Table):
    """Someone who may sign in: a person, by staff number, or the administrator of the set-up, by a username of their own."""

    __tablename__ = "account"
    id: Mapped[UUID] = _fresh_id()
    person_id: Mapped[UUID | None] = mapped_column(unique=True)
    username: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Acceptance(Table):
    """Which version of the privacy notice an account accepted, and when."""

    __tablename__ = "acceptance"
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="cascade"), primary_key=True)
    notice_version: Mapped[str] = mapped_column(primary_key=True)
    accepted_at: Mapped[datetime]


class Activation(Table):
    """A code by which a person comes in once, or the wish for one that waits for a second person."""

    __tablename__ = "activation"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)  # known before the insert, so that many go in one statement
    person_id: Mapped[UUID] = mapped_column(index=True)
    state: Mapped[str]  # waiting, open, used, ended, refused
    code_hash: Mapped[bytes | None] = mapped_column(unique=True)
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    wrong_count: Mapped[int]
    used_at: Mapped[datetime | None]


class Session(Table):
    """One device that is signed in. Its secret is kept hashed; times but `signed_in_at` are the machine's, as those of cookies are."""

    __tablename__ = "session"
    id: Mapped[UUID] = _fresh_id()
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="cascade"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    kind: Mapped[str]  # phone, desk
    device: Mapped[str]
    address: Mapped[str]
    signed_in_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignIn(Table):
    """A sign-in that went well or did not. A name that no account has is not kept: it may be a password typed into the wrong field."""

    __tablename__ = "sign_in"
    id: Mapped[UUID] = _fresh_id()
    at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="cascade"), index=True)
    outcome: Mapped[str]  # in, wrong, locked, left, activated, demo
    kind: Mapped[str]
    device: Mapped[str]
    address: Mapped[str]
    session_id: Mapped[UUID | None]


class KnownDevice(Table):
    """A browser in which an account signed in before; wrong passwords from elsewhere do not lock it. Its key is kept hashed."""

    __tablename__ = "known_device"
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id", ondelete="cascade"), primary_key=True, index=True)
    used_at: Mapped[datetime]


class Lockout(Table):
    """Wrong passwords for one name from one place, whether or not an account has the name; the key is a hash of both."""

    __tablename__ = "lockout"
    key: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="cascade"), index=True)
    wrong_count: Mapped[int]
    last_wrong_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class Bucket(Table):
    """A token bucket: how often something may still be tried. The key is a hash."""

    __tablename__ = "bucket"
    key: Mapped[bytes] = mapped_column(primary_key=True)
    tokens: Mapped[float]
    filled_at: Mapped[datetime] = mapped_column(index=True)
    taken: Mapped[bool]


class Role(Table):
    """A role asked for or given; those that come from facts (head, reporter) are never written here."""

    __tablename__ = "role"
    id: Mapped[UUID] = _fresh_id()
    person_id: Mapped[UUID | None] = mapped_column(index=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id", ondelete="cascade"), index=True)
    role: Mapped[str]
    state: Mapped[str]  # waiting, given, refused, ended
    asked_by: Mapped[UUID | None]  # nobody: the set-up
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]  # nobody, though decided: the setup code
    decided_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]


class Client(Table):
    """An external system and what it may do."""

    __tablename__ = "client"
    id: Mapped[UUID] = _fresh_id()
    name: Mapped[str]
    scopes: Mapped[list[str]]
    expires_on: Mapped[date]
    state: Mapped[str]  # waiting, open, refused, ended
    asked_by: Mapped[UUID]
    asked_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    version: Mapped[int]


class ClientKey(Table):
    """A key of a client, kept hashed; two are open at once, so that one can be exchanged without a pause."""

    __tablename__ = "client_key"
    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[UUID] = mapped_column(ForeignKey("client.id", ondelete="cascade"), index=True)
    secret_hash: Mapped[bytes | None]  # nothing while it waits: the secret is made at the approval
    state: Mapped[str]  # waiting, open, ended
    made_by: Mapped[UUID]
    made_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    expires_on: Mapped[date]
    last_used_at: Mapped[datetime | None]


class Look(Table):
    """Somebody looked at health data: who, whose, on which page."""

    __tablename__ = "look"
    id: Mapped[UUID] = _fresh_id()
    looked_at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[UUID | None]
    client_id: Mapped[UUID | None]
    looker_id: Mapped[UUID | None]
    looker_name: Mapped[str]
    what: Mapped[str]
    person_ids: Mapped[list[UUID]]
    people_count: Mapped[int]
    filter: Mapped[dict[str, Any]]
    purpose: Mapped[str]


class KnownPerson(PersonColumns, Table):
    """What personnel told of a person."""

    __tablename__ = "known_person"


class KnownProof(Table):
    """By what a person proves who they are, beside the staff number, as personnel told it to this service alone."""

    __tablename__ = "known_proof"
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    phone_last4: Mapped[str | None]
    version: Mapped[int]
    telling: Mapped[UUID | None]
    heard_at: Mapped[datetime]


class KnownDuty(Table):
    """What duty told of a person on a post: from when to when, and whether it gives the duty officer's rights."""

    __tablename__ = "known_duty"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    gives_rights: Mapped[bool]
    state: Mapped[str]  # published, released
    version: Mapped[int]
    heard_at: Mapped[datetime]


class KnownDepartment(DepartmentColumns, Table):
    """What personnel told of a department and of those who answer for it."""

    __tablename__ = "known_department"
