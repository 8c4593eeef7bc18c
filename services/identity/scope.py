"""Which rows of identity a caller may see, a line a table; the session applies it to every statement."""

from uuid import UUID

from sqlalchemy import false, or_
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import ColumnElement

from services.identity.tables import (
    Acceptance,
    Account,
    Activation,
    Bucket,
    Client,
    ClientKey,
    KnownDepartment,
    KnownDevice,
    KnownDuty,
    KnownPerson,
    KnownProof,
    Lockout,
    Look,
    Role,
    Session,
    SetupCode,
    SignIn,
    System,
)
from shared.auth import Caller
from shared.db import Scope

Rows = ColumnElement[bool] | None


def _nobody(caller: Caller) -> Rows:
    """Asked for by the system alone, behind a slice's door."""
    return None if caller.kind == "system" else false()


def _by_account(column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], caller: Caller) -> ColumnElement[bool]:
    """The rows of the caller's account; a missing id is nobody's, and must not become `is null`."""
    return column == caller.account_id if caller.account_id else false()


def _by_person(column: InstrumentedAttribute[UUID] | InstrumentedAttribute[UUID | None], caller: Caller) -> ColumnElement[bool]:
    """The rows of the caller's person."""
    return column == caller.person_id if caller.person_id else false()


def _accounts(caller: Caller) -> Rows:
    return None if caller.reach("account.read").everything else _by_account(Account.id, caller)


def _people(caller: Caller) -> Rows:
    return None if caller.reach("account.read").everything else _by_person(KnownPerson.id, caller)


def _roles(caller: Caller) -> Rows:
    if caller.reach("role.read").everything:
        return None
    return or_(_by_account(Role.account_id, caller), _by_person(Role.person_id, caller))


def _sessions(caller: Caller) -> Rows:
    return None if caller.reach("account.change").everything else _by_account(Session.account_id, caller)


def _sign_ins(caller: Caller) -> Rows:
    return None if caller.reach("sign_in.read").everything else _by_account(SignIn.account_id, caller)


def _acceptances(caller: Caller) -> Rows:
    return None if caller.kind == "system" else _by_account(Acceptance.account_id, caller)


def _activations(caller: Caller) -> Rows:
    return None if caller.reach("activation.print").everything else _by_person(Activation.person_id, caller)


def _clients(caller: Caller) -> Rows:
    return None if caller.reach("client.read").everything else false()


def _looks(caller: Caller) -> Rows:
    if caller.reach("look.read").everything:
        return None
    return Look.person_ids.contains([caller.person_id]) if caller.person_id else false()


SCOPE: Scope = {
    Acceptance: _acceptances,
    Account: _accounts,
    Activation: _activations,
    Bucket: _nobody,
    Client: _clients,
    ClientKey: _clients,
    KnownDepartment: lambda caller: None,
    KnownDevice: _nobody,
    KnownDuty: lambda caller: None if caller.kind == "system" else _by_person(KnownDuty.person_id, caller),
    KnownPerson: _people,
    KnownProof: lambda caller: None if caller.kind == "system" else _by_person(KnownProof.person_id, caller),
    Lockout: _nobody,
    Look: _looks,
    Role: _roles,
    Session: _sessions,
    SetupCode: _nobody,
    SignIn: _sign_ins,
    System: lambda caller: None,
}
