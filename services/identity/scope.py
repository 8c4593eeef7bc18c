"""Which rows of identity a caller may see, a line a table; the session applies it to every statement."""

from sqlalchemy import false, or_
from sqlalchemy.sql import ColumnElement

from services.identity.tables import (
    Acceptance,
    Account,
    Activation,
    Bucket,
    Client,
    ClientKey,
    KnownDepartment,
    KnownPerson,
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


def _mine(caller: Caller) -> list[ColumnElement[bool]]:
    """The role rows of the caller's account and person; a missing id is nobody's, and must not become `is null`."""
    by_account = [Role.account_id == caller.account_id] if caller.account_id else []
    return by_account + ([Role.person_id == caller.person_id] if caller.person_id else [])


def _accounts(caller: Caller) -> Rows:
    return None if caller.reach("account.read").everything else Account.id == caller.account_id


def _people(caller: Caller) -> Rows:
    return None if caller.reach("account.read").everything else KnownPerson.id == caller.person_id


def _roles(caller: Caller) -> Rows:
    if caller.reach("role.read").everything:
        return None
    return or_(false(), *_mine(caller))


def _sessions(caller: Caller) -> Rows:
    return None if caller.reach("account.change").everything else Session.account_id == caller.account_id


def _sign_ins(caller: Caller) -> Rows:
    return None if caller.reach("sign_in.read").everything else SignIn.account_id == caller.account_id


def _acceptances(caller: Caller) -> Rows:
    return None if caller.kind == "system" else Acceptance.account_id == caller.account_id


def _activations(caller: Caller) -> Rows:
    return None if caller.reach("activation.print").everything else Activation.person_id == caller.person_id


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
    KnownPerson: _people,
    Lockout: _nobody,
    Look: _looks,
    Role: _roles,
    Session: _sessions,
    SetupCode: _nobody,
    SignIn: _sign_ins,
    System: lambda caller: None,
}
