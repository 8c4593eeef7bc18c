"""Long work: 202, progress, result; work outside a transaction, its effect in one. It survives a restart because its row does."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import SYSTEM, Caller
from shared.clock import now, real_now
from shared.db import Database, is_away, must_repeat
from shared.house import Job
from shared.loops import goes_on
from shared.refusals import Refused

log = structlog.get_logger()

LEASE = timedelta(seconds=30)
POLL_SECONDS = 0.5
TRIES = 3


class Progress:
    """How far a job is; written in transactions of its own, which also keep the claim alive."""

    def __init__(self, database: Database, job_id: UUID) -> None:
        self.database, self.job_id = database, job_id

    async def __call__(self, done_count: int, total_count: int) -> None:
        """So many of so many are done."""
        fresh = {"done_count": done_count, "total_count": total_count, "claimed_until": real_now() + LEASE}
        async with self.database.transaction(SYSTEM) as tx:
            await tx.execute(update(Job).where(Job.id == self.job_id).values(fresh))


Finish = Callable[[AsyncSession], Awaitable[dict[str, Any]]]
"""The effect of a job, in one transaction with the row that says done; answers the result."""
Work = Callable[[Database, Job, Progress], Awaitable[Finish]]
"""The long part, outside a transaction; answers the effect."""
Failed = Callable[[AsyncSession, Job, Refused], Awaitable[None]]
"""What to write when the job was refused or gave up."""


async def start(tx: AsyncSession, kind: str, given: Mapping[str, Any], job_id: UUID | None = None) -> Job:
    """Put a job on the list, in this transaction."""
    caller: Caller = tx.info["caller"]
    job = Job(id=job_id or uuid4(), kind=kind, state="waiting", input=dict(given), done_count=0, total_count=0, tries=0, created_at=now())
    job.started_by, job.person_id = caller.id, caller.person_id
    tx.add(job)
    await tx.flush()
    tx.info["began_job"] = True
    return job


class JobLoop:
    """Runs this service's jobs, one at a time in each process; a claim that runs out is taken over by another."""

    def __init__(self, database: Database, works: Mapping[str, tuple[Work, Failed | None]]) -> None:
        self.database, self.works = database, works

    async def run(self) -> None:
        """Jobs without end."""
        while goes_on():
            try:
                busy = await self.round()
            except Exception as odd:  # the loop must outlive whatever a job meets
                if not is_away(odd):
                    log.warning("job round failed", error=f"{type(odd).__name__}: {odd}"[:300])
                busy = False
            if not busy:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.database.job_began.wait(), POLL_SECONDS)
                self.database.job_began.clear()

    async def _claim(self) -> Job | None:
        async with self.database.transaction(SYSTEM) as tx:
            free = or_(Job.state == "waiting", and_(Job.state == "running", Job.claimed_until < real_now()))
            wanted = select(Job).where(Job.kind.in_(self.works), free).order_by(Job.created_at).limit(1).with_for_update(skip_locked=True)
            job = (await tx.scalars(wanted)).one_or_none()
            if job is not None:
                job.state, job.tries, job.claimed_until = "running", job.tries + 1, real_now() + LEASE
            return job

    async def round(self) -> bool:
        """Run one job; False when none waits."""
        job = await self._claim() if self.works else None
        if job is None:
            return False
        work, failed = self.works[job.kind]
        alive = asyncio.create_task(self._keep_claim(job.id))
        try:
            if job.tries > TRIES:
                raise Refused("gave_up", 500)
            finish = await work(self.database, job, Progress(self.database, job.id))
            await self._finish(job, finish)
        except Refused as no:
            await self._fail(job, no, failed)
        except Exception as odd:
            if is_away(odd):
                raise
            log.warning("job failed", kind=job.kind, tries=job.tries, error=f"{type(odd).__name__}: {odd}"[:500])
            if job.tries >= TRIES:
                await self._fail(job, Refused("gave_up", 500), failed)
            else:
                await self._release(job)
        finally:
            alive.cancel()
        return True

    async def _finish(self, job: Job, finish: Finish) -> None:
        for attempt in (1, 2):
            try:
                async with self.database.transaction(SYSTEM) as tx:
                    held = await tx.scalar(select(Job.state).where(Job.id == job.id, Job.tries == job.tries).with_for_update())
                    if held != "running":
                        return  # another process took it over
                    result = await finish(tx)
                    await tx.execute(update(Job).where(Job.id == job.id).values(state="done", result=result, ended_at=now()))
                return
            except Exception as odd:
                if attempt == 2 or not must_repeat(odd):
                    raise

    async def _fail(self, job: Job, no: Refused, failed: Failed | None) -> None:
        problem = {"code": no.code, "status": no.status, "params": no.params}
        async with self.database.transaction(SYSTEM) as tx:
            await tx.execute(update(Job).where(Job.id == job.id).values(state="failed", problem=problem, ended_at=now()))
            if failed is not None:
                await failed(tx, job, no)

    async def _release(self, job: Job) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            await tx.execute(
                update(Job).where(Job.id == job.id, Job.tries == job.tries).values(claimed_until=real_now() + timedelta(seconds=2))
            )

    async def _keep_claim(self, job_id: UUID) -> None:
        while goes_on():
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                async with self.database.transaction(SYSTEM) as tx:
                    await tx.execute(update(Job).where(Job.id == job_id).values(claimed_until=real_now() + LEASE))
            except Exception as away:  # the claim runs out, and another process takes over
                log.info("claim not renewed", reason=type(away).__name__)
