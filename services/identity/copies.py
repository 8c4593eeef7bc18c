"""The copy: all that identity keeps about whoever asks, for their download."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import false, or_, select

from services.identity.reads import rights_of
from services.identity.tables import Acceptance, Account, Activation, KnownPerson, KnownProof, Look, Role, Session, SignIn
from shared.auth import Caller, signed_in
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Shown

copies = Slice(prefix="/accounts", tags=["accounts"])

COPIED_AT_MOST = 5000


class SignInKept(Shown):
    """A sign-in as it is kept."""

    at: datetime
    outcome: str = Field(examples=["in"])
    kind: str = Field(examples=["desk"])
    device: str = Field(examples=["Firefox"])
    address: str = Field(examples=["192.0.2.17"])


class SessionKept(Shown):
    """A session as it is kept."""

    kind: str = Field(examples=["desk"])
    device: str = Field(examples=["Firefox"])
    address: str = Field(examples=["192.0.2.17"])
    signed_in_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None


class RoleKept(Shown):
    """A role as it is kept."""

    role: str = Field(examples=["coordinator"])
    state: str = Field(examples=["given"])
    asked_at: datetime
    decided_at: datetime | None
    ended_at: datetime | None


class LookKept(Shown):
    """A look at one's record as it is kept."""

    looked_at: datetime
    looker_name: str
    what: str = Field(examples=["record"])
    purpose: str = Field(examples=["/people/{person_id}"])


class AcceptanceKept(Shown):
    """A privacy notice that was accepted."""

    notice_version: str = Field(examples=["2021-08-01"])
    accepted_at: datetime = Field(examples=["2021-08-04T00:20:00Z"])


class ActivationKept(Shown):
    """A code that was made for one."""

    state: str = Field(examples=["used"])
    asked_at: datetime
    expires_at: datetime | None
    used_at: datetime | None = Field(examples=["2021-08-04T00:20:00Z"])


class Copy(Shown):
    """All that identity keeps about the caller. Of secrets only that they are there: they are kept in a form that cannot be turned back."""

    account_id: UUID
    name: str
    number: str | None
    username: str | None
    department: str | None
    employment: str | None
    phone_last4: str | None = Field(examples=["0115"])
    left_on: date | None
    password_changed_at: datetime | None = Field(examples=["2021-08-04T00:20:00Z"])
    notices: list[AcceptanceKept]
    activations: list[ActivationKept]
    roles: list[RoleKept]
    roles_now: list[str] = Field(examples=[["coordinator"]])
    sessions: list[SessionKept]
    sign_ins: list[SignInKept]
    looks: list[LookKept]


@copies.get("/me/copy")
async def copy_own(caller: Annotated[Caller, signed_in], read: Read) -> Copy:
    """All that identity keeps about the caller, for the download; of sessions, sign-ins and looks the latest 5,000 each.

    Refused 404 `no_account` for an API client."""
    account = await read.get(Account, caller.account_id) if caller.account_id else None
    if account is None:
        raise Refused("no_account", 404)
    rights = await rights_of(read, account.id)
    person = await read.get(KnownPerson, account.person_id) if account.person_id else None
    proof = await read.get(KnownProof, account.person_id) if account.person_id else None
    of_person = Role.person_id == account.person_id if account.person_id else false()
    own_roles = or_(Role.account_id == account.id, of_person)
    async with as_system(read):  # one's own rows, named one by one below
        notices = await read.scalars(select(Acceptance).where(Acceptance.account_id == account.id).order_by(Acceptance.accepted_at))
        codes = await read.scalars(select(Activation).where(Activation.person_id == account.person_id).order_by(Activation.asked_at))
        roles = await read.scalars(select(Role).where(own_roles).order_by(Role.asked_at))
        own_sessions = select(Session).where(Session.account_id == account.id).order_by(Session.signed_in_at.desc())
        sessions = await read.scalars(own_sessions.limit(COPIED_AT_MOST))
        own_sign_ins = select(SignIn).where(SignIn.account_id == account.id).order_by(SignIn.at.desc())
        sign_ins = await read.scalars(own_sign_ins.limit(COPIED_AT_MOST))
        whose = Look.person_ids.contains([account.person_id]) if account.person_id else Look.account_id == account.id
        looks = await read.scalars(select(Look).where(whose).order_by(Look.looked_at.desc()).limit(COPIED_AT_MOST))
        return Copy(
            account_id=account.id,
            name=person.name if person else account.name,
            number=person.number if person else None,
            username=account.username or (person.number if person else None),
            department=rights.person.department.name if rights and rights.person and rights.person.department else None,
            employment=person.employment if person else None,
            phone_last4=proof.phone_last4 if proof else None,
            left_on=person.left_on if person else None,
            password_changed_at=account.password_changed_at,
            notices=[AcceptanceKept.model_validate(row) for row in notices],
            activations=[ActivationKept.model_validate(row) for row in codes],
            roles=[RoleKept.model_validate(row) for row in roles],
            roles_now=sorted(rights.roles) if rights else [],
            sessions=[SessionKept.model_validate(row) for row in sessions],
            sign_ins=[SignInKept.model_validate(row) for row in sign_ins],
            looks=[LookKept.model_validate(row) for row in looks],
        )
