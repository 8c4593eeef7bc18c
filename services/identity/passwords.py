"""Passwords: everybody changes their own and nobody another's; who forgot theirs is let in by a new activation code."""

from typing import Annotated

from pydantic import ConfigDict
from sqlalchemy import update

from services.identity import hashing
from services.identity.acts import end_sessions, too_weak
from services.identity.proving import Attempt, prove_password
from services.identity.reads import rights_of
from services.identity.rules import what_weakens
from services.identity.tables import Account, Session
from shared.auth import Caller, signed_in
from shared.clock import now
from shared.db import Aside
from shared.once import secret_answer
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Body, Secret

passwords = Slice(prefix="/passwords", tags=["accounts"])


class PasswordChange(Body):
    """The old password, as proof, and the new one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"old": "four hills and a river", "new": "a ferry crosses at seven"}]})
    old: Secret
    new: Secret


@passwords.post("", status_code=204)
@secret_answer
async def change_password(change: PasswordChange, caller: Annotated[Caller, signed_in], aside: Aside) -> None:
    """Change one's own password; all other sessions end. Refused 422 with what weakens it, 401 `wrong_credentials`, 429 `too_many`."""
    async with aside() as tx:
        account = await tx.get(Account, caller.account_id) if caller.account_id else None
        rights = await rights_of(tx, account.id) if account else None
    if account is None or rights is None or account.password_hash is None:
        raise Refused("no_account", 404)
    number = rights.person.number if rights.person else ""
    if reasons := what_weakens(change.new, [number, rights.name, rights.spelled, account.username or ""]):
        raise too_weak("new", reasons)
    attempt = Attempt(number or account.username or "", address=caller.address, session_id=caller.session_id)
    if await prove_password(aside, attempt, change.old) != account.id:
        raise Refused("wrong_credentials", 401)
    kept = await hashing.hashed(change.new)
    async with aside() as tx:
        others = [Session.account_id == account.id] + ([Session.id != caller.session_id] if caller.session_id else [])
        await tx.execute(update(Account).where(Account.id == account.id).values(password_hash=kept, password_changed_at=now()))
        await end_sessions(tx, Session.account_id == account.id, *others)
