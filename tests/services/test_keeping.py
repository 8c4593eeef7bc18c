"""How long identity keeps what it keeps: every night what is over goes, and what is not stays."""

from datetime import timedelta

from sqlalchemy import func, select, update

from services.identity.keeping import plan_removal
from services.identity.tables import Activation, Bucket, Session, SignIn
from shared import clock
from shared.clock import now, real_now
from shared.house import Due
from tests.doors import Door
from tests.people import HE_RUONING, HEALTH, LIANG_YUAN
from tests.services.let_in import has_account, sheet_for, signed_in, tell


async def test_sign_ins_sessions_and_codes_go_when_their_time_is_over(identity: Door) -> None:
    await tell(identity)
    before = await has_account(identity, LIANG_YUAN)
    await has_account(identity, HE_RUONING)
    for person in (LIANG_YUAN, HE_RUONING):
        await signed_in(identity, person)
    await sheet_for(identity, LIANG_YUAN, HEALTH)
    ago = timedelta(days=366)
    async with identity.rows() as tx:
        await tx.execute(update(SignIn).where(SignIn.account_id == before).values(at=now() - ago))
        await tx.execute(update(Session).where(Session.account_id == before).values(ended_at=real_now() - ago))
        await tx.execute(update(Activation).values(expires_at=now() - ago))
        await tx.execute(update(Bucket).values(filled_at=real_now() - timedelta(days=2)))
    await plan_removal(identity.database)

    clock.set_now(now() + timedelta(days=1))
    await identity.dues()

    async with identity.rows() as tx:
        kept = [await tx.scalar(select(func.count()).select_from(table)) for table in (SignIn, Session, Activation, Bucket)]
        again = (await tx.scalars(select(Due.due_at))).one()
    assert kept == [1, 1, 0, 0]
    assert now() < again <= now() + timedelta(days=1)
