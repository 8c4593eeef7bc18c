"""identity: who may come in, and as whom. Composition only."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from services.identity.accounts import accounts
from services.identity.activations import activations
from services.identity.acts import print_setup_code
from services.identity.clients import clients
from services.identity.copies import copies
from services.identity.demo import demo
from services.identity.keeping import keeping, plan_removal
from services.identity.known import known
from services.identity.looks import looks
from services.identity.notices import notices
from services.identity.on_duty import on_duty
from services.identity.passwords import passwords
from services.identity.roles import roles
from services.identity.scope import SCOPE
from services.identity.sentences import SAID
from services.identity.sessions import sessions
from services.identity.setup import setup
from services.identity.sheets import sheets
from services.identity.signins import signins
from services.identity.tables import System
from shared.auth import SYSTEM
from shared.clock import now
from shared.db import Database
from shared.service import service
from shared.settings import settings

__all__ = ["SCOPE", "SLICES", "app", "begin"]

SLICES = [
    setup,
    sessions,
    passwords,
    sheets,
    activations,
    notices,
    accounts,
    copies,
    roles,
    clients,
    looks,
    signins,
    demo,
    known,
    on_duty,
    keeping,
]


async def begin(database: Database) -> None:
    """Hold the system to what it is: a demo never becomes real, nor the other way round. A demo's loader brings its setup code."""
    wants_demo = settings().demo
    async with database.transaction(SYSTEM) as tx:
        await tx.execute(insert(System).values(id=1, demo=wants_demo, began_at=now()).on_conflict_do_nothing())
        found = (await tx.execute(select(System.demo, System.set_up_at))).one()
        if found.demo != wants_demo:
            what, other = ("a demo", "real") if found.demo else ("real", "a demo")
            raise SystemExit(f"setting DEMO: this database is {what} and can never become {other}; use another DATABASE_URL or data folder")
        code = settings().demo_setup_code.get_secret_value()
        if wants_demo and code and found.set_up_at is None:
            await print_setup_code(tx, code)
    await plan_removal(database)


app = service("identity", SLICES, scope=SCOPE, sentences=SAID, begin=begin)
