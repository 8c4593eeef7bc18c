"""What machines and operators watch of a service: /livez, /readyz, /metrics, /status, and its jobs."""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from math import inf, nan
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi import Path as FromPath
from nats.errors import Error as NatsError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field
from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import due
from shared.auth import SYSTEM, Caller, anyone, require
from shared.clock import now, real_now
from shared.db import Database, Read
from shared.errand import behind
from shared.house import Answer, Done, Due, Errand, Job, Outbox, Parked
from shared.measures import Measures
from shared.messaging.inbox import parked_count
from shared.once import KEPT_HOURS
from shared.refusals import Refused
from shared.settings import settings
from shared.story import example_id
from shared.web import Shown

SWEEP = "house.sweep"
JobId = Annotated[UUID, FromPath(examples=[example_id("job")])]


class ConsumerLag(Shown):
    """How far a consumer is behind; `pending_count` is null when NATS cannot be asked."""

    consumer: str = Field(examples=["dispatch-fitness_changed"])
    pending_count: int | None = Field(examples=[0])


class ErrandsBehind(Shown):
    """How mail or webhooks stand: what waits, how much of it has failed and is tried again, what was given up in the last 24 hours."""

    kind: str = Field(examples=["notice.mail"])
    waiting_count: int = Field(examples=[4])
    oldest_waiting_seconds: float = Field(examples=[1.2])
    again_count: int = Field(examples=[0])
    failed_count: int = Field(examples=[0])
    error: str | None = Field(description="What the one that is tried again last met")


class Status(Shown):
    """What is late in a service."""

    service: str = Field(examples=["dispatch"])
    now: datetime
    unsent_count: int = Field(examples=[0])
    oldest_unsent_seconds: float = Field(examples=[0.0])
    parked_count: int = Field(examples=[0])
    due_late_count: int = Field(examples=[0])
    due_parked_count: int = Field(examples=[0])
    jobs_open_count: int = Field(examples=[0])
    oldest_job_seconds: float = Field(examples=[0.0])
    errands: list[ErrandsBehind]
    nats_connected: bool = Field(examples=[True])
    consumers: list[ConsumerLag]
    disk_free_bytes: int | None = Field(examples=[41200000000])
    disk_total_bytes: int | None = Field(examples=[64000000000])
    backup_age_seconds: float | None = Field(examples=[5040.0])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class JobShown(Shown):
    """A job: how far it is, and what came of it."""

    id: UUID
    kind: str = Field(examples=["import.commit"])
    state: str = Field(examples=["running"])
    done_count: int = Field(examples=[12000])
    total_count: int = Field(examples=[50000])
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
    created_at: datetime = Field(examples=["2021-08-05T08:24:00Z"])
    ended_at: datetime | None


async def status_of(request: Request, read: AsyncSession) -> Status:
    """The figures of /status."""
    app = request.app
    oldest = select(func.count(), func.min(Outbox.created_at)).where(Outbox.sent_at.is_(None))
    unsent, since = (await read.execute(oldest)).one()
    due_late, due_parked = await due.late(read)
    working = select(func.count(), func.min(Job.created_at)).where(Job.state.in_(("waiting", "running")))
    jobs, begun = (await read.execute(working)).one()
    nc = getattr(app.state, "nc", None)
    connected = bool(nc is not None and nc.is_connected)
    disk, backup_age = _disk_and_backup(settings().data_dir)
    return Status(
        service=app.state.name,
        now=now(),
        unsent_count=unsent,
        oldest_unsent_seconds=(real_now() - since).total_seconds() if since else 0.0,
        parked_count=await parked_count(read),
        due_late_count=due_late,
        due_parked_count=due_parked,
        jobs_open_count=jobs,
        oldest_job_seconds=max(0.0, (now() - begun).total_seconds()) if begun else 0.0,
        errands=await _errands(read, app.state.errand_kinds),
        nats_connected=connected,
        consumers=[
            ConsumerLag(consumer=h.name, pending_count=await _pending(nc, h.stream, h.name) if connected else None)
            for h in app.state.handlers
        ],
        disk_free_bytes=disk[0] if disk else None,
        disk_total_bytes=disk[1] if disk else None,
        backup_age_seconds=backup_age,
    )


async def _errands(read: AsyncSession, kinds: Sequence[str]) -> list[ErrandsBehind]:
    if not kinds:
        return []
    found, moment = await behind(read, kinds), real_now()
    return [
        ErrandsBehind(
            kind=kind,
            waiting_count=one.waiting_count,
            oldest_waiting_seconds=(moment - one.oldest_at).total_seconds() if one.oldest_at else 0.0,
            again_count=one.again_count,
            failed_count=one.failed_count,
            error=one.error,
        )
        for kind, one in found.items()
    ]


async def _pending(nc: Any, stream: str, consumer: str) -> int | None:
    try:
        info = await nc.jetstream(timeout=1).consumer_info(stream, consumer)
    except (NatsError, OSError, TimeoutError):
        return None
    return int(info.num_pending) + int(info.num_ack_pending or 0)


def figures_of(found: Status) -> dict[str, float]:
    """The same for Prometheus: what cannot be known now is no number, or the last one would stay; a backup never made is endlessly old."""
    whole = ("unsent_count", "oldest_unsent_seconds", "parked_count", "due_late_count", "due_parked_count", "jobs_open_count")
    figures = {what: float(getattr(found, what)) for what in (*whole, "oldest_job_seconds", "nats_connected")}
    for lag in found.consumers:
        figures[f"pending_{lag.consumer}"] = nan if lag.pending_count is None else lag.pending_count
    for one in found.errands:
        for what in ("waiting_count", "oldest_waiting_seconds", "again_count", "failed_count"):
            figures[f"errands_{one.kind}_{what}"] = getattr(one, what)
    if found.disk_free_bytes is not None:
        figures["disk_free_bytes"] = found.disk_free_bytes
        figures["backup_age_seconds"] = inf if found.backup_age_seconds is None else found.backup_age_seconds
    return figures


def _disk_and_backup(folder: Path | None) -> tuple[tuple[int, int] | None, float | None]:
    if folder is None or not folder.exists():
        return None, None
    usage = shutil.disk_usage(folder)
    made = [one.stat().st_mtime for one in (folder / "backups").glob("*.dump")]
    return (usage.free, usage.total), (real_now().timestamp() - max(made)) if made else None


def watch_routes(name: str) -> APIRouter:
    """The routes that every service has."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/livez")
    async def alive(caller: Annotated[Caller, anyone("a supervisor asks whether the process answers")]) -> Alive:
        """The process answers."""
        return Alive()

    @routes.get("/readyz")
    async def ready(request: Request, caller: Annotated[Caller, anyone("a supervisor asks whether requests may come")]) -> Alive:
        """The database answers and NATS has been reached since the start. 503 `not_available` otherwise."""
        database: Database = request.app.state.database
        async with database.engine.connect() as connection:
            await connection.execute(text("select 1"))
        if settings().work == "on" and request.app.state.loops and not request.app.state.heard.is_set():
            raise Refused("not_available", 503, {"what": "nats"})
        return Alive()

    @routes.get("/metrics", include_in_schema=False)
    async def metrics(
        request: Request, caller: Annotated[Caller, anyone("figures without persons, on an inside address")], read: Read
    ) -> Response:
        """The figures for Prometheus."""
        measures: Measures = request.app.state.measures
        found = await status_of(request, read)
        for what, figure in figures_of(found).items():
            measures.late.labels(name, what).set(figure)
        return Response(generate_latest(measures.registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/status")
    async def status(request: Request, caller: Annotated[Caller, require("system.read")], read: Read) -> Status:
        """What is late here: the oldest unsent event, consumers behind, parked rows, due rows, disk, age of the last backup."""
        return await status_of(request, read)

    @routes.get("/jobs/{job_id}")
    async def show_job(job_id: JobId, caller: Annotated[Caller, require("job.read")], read: Read) -> JobShown:
        """How far a job is. Refused: `not_found` (also: not yours)."""
        job = await read.get(Job, job_id)
        if job is None or not (caller.reach("job.read").everything or job.started_by == caller.id):
            raise Refused("not_found", 404)
        return JobShown.model_validate(job)

    return routes


async def sweep(tx: AsyncSession, row: Due) -> None:
    """Nightly: what was sent, done, answered or ended long ago. Done-rows outlive the outbox, the outbox outlives the stream."""
    moment = real_now()
    await tx.execute(delete(Outbox).where(Outbox.sent_at < moment - timedelta(days=settings().outbox_days)))
    was_done = exists().where(Done.handler == Parked.handler, Done.event_id == Parked.event_id)
    await tx.execute(delete(Parked).where(was_done))  # it failed, then the bus lost its store, and what came anew was no repeat to it
    await tx.execute(delete(Done).where(Done.done_at < moment - timedelta(days=settings().done_days)))
    await tx.execute(delete(Answer).where(Answer.given_at < moment - timedelta(hours=KEPT_HOURS)))
    await tx.execute(delete(Errand).where(Errand.ended_at < moment - timedelta(days=settings().outbox_days)))
    await tx.execute(delete(Job).where(Job.ended_at < now() - timedelta(days=settings().import_days)))
    await due.later(tx, SWEEP, "", now() + timedelta(days=1))


async def plan_sweep(database: Database) -> None:
    """The first sweep stands on the list of due rows."""
    async with database.transaction(SYSTEM) as tx:
        if await tx.get(Due, (SWEEP, "")) is None:
            await due.later(tx, SWEEP, "", now() + timedelta(days=1))
