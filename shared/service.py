"""A service is slices on the ground floor: composed here, every route held to a door, with relay, consumers, due rows and jobs."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from nats.aio.client import Client
from nats.errors import Error as NatsError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import configure_mappers

from shared import due, errand, job
from shared.auth import doors_of
from shared.db import Database, Scope, engine_for, is_away, must_repeat, refused_by_constraint
from shared.description import describe
from shared.events import Event
from shared.loops import goes_on
from shared.measures import Measures
from shared.messaging.inbox import Handler, Inbox
from shared.messaging.relay import Relay
from shared.messaging.streams import connect_within, ensure_stream
from shared.messaging.subjects import told_by
from shared.once import answered_once
from shared.outermost import Outermost
from shared.refusals import Refused
from shared.settings import settings
from shared.spare import Spare
from shared.watch import SWEEP, plan_sweep, sweep, watch_routes
from shared.web import BODY_BYTES, answer_problems, log_in_json, problem, reference, unexpected

log = structlog.get_logger()

Fn = TypeVar("Fn", bound=Callable[..., Any])
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RepeatedRoute(APIRoute):
    """A handler whose transaction the database gave up for another's sake is run once more, whole."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        once = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if "idempotency-key" in request.headers:
                await request.body()  # kept with the request, so that its hash can be taken after a form was read from it
            try:
                answer: Response = await once(request)
            except Exception as odd:
                if not must_repeat(odd):
                    raise
                answer = await once(request)
            return answer

        return handler


class Slice(APIRouter):
    """One noun: its requests, the events it hears, its due rows, its jobs, its errands."""

    def __init__(self, **given: Any) -> None:
        super().__init__(route_class=RepeatedRoute, **{"max_body_size": BODY_BYTES, **given})
        self.handlers: list[tuple[type[Event], Callable[..., Any]]] = []
        self.dues: dict[str, due.Act] = {}
        self.works: dict[str, tuple[job.Work, job.Failed | None]] = {}
        self.errands: dict[str, errand.Run] = {}

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        """A route that writes answers an Idempotency-Key, unless its answer is a secret."""
        if _UNSAFE & set(given.get("methods") or ()) and not getattr(endpoint, "secret_answer", False):
            endpoint = answered_once(endpoint, given.get("status_code") or 200)
        super().add_api_route(path, endpoint, **given)

    def on(self, event: type[Event]) -> Callable[[Fn], Fn]:
        """The function hears this event: `async def remember(event, tx)`, one transaction with its done-row."""

        def heard(handle: Fn) -> Fn:
            self.handlers.append((event, handle))
            return handle

        return heard

    def due(self, kind: str) -> Callable[[Fn], Fn]:
        """The function does what is due of this kind: `async def remove(tx, row)`."""

        def acts(act: Fn) -> Fn:
            self.dues[kind] = act
            return act

        return acts

    def job(self, kind: str, failed: job.Failed | None = None) -> Callable[[Fn], Fn]:
        """The function is the long part of jobs of this kind."""

        def works(work: Fn) -> Fn:
            self.works[kind] = (work, failed)
            return work

        return works

    def errand(self, kind: str, ended: errand.Ended | None = None) -> Callable[[Fn], Fn]:
        """The function sends errands of this kind: `async def send(database, errand)`, raising CannotSend; `ended` records the outcome."""

        def sends(send: Fn) -> Fn:
            self.errands[kind] = errand.Run(send, ended)
            return send

        return sends


def service(
    name: str,
    slices: Sequence[Slice],
    *,
    scope: Scope,
    sentences: Mapping[str, str],
    begin: Callable[[Database], Any] | None = None,
) -> FastAPI:
    """The app of a service. `sentences` says each of its codes in English; `begin` runs once the database can be reached, before the
    first request."""
    measures = Measures(name)
    handlers = [Handler(name, event, handle) for one in slices for event, handle in one.handlers]

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if not getattr(app.state, "database", None):  # a test may have brought its own
            log_in_json(settings().log_level, process=name)
            app.state.database = Database(engine_for(settings().database_url.get_secret_value()), scope)
        database: Database = app.state.database
        app.state.heard = asyncio.Event()
        await plan_sweep(database)
        if begin is not None:
            await _begin(begin, database)
        tasks = [asyncio.create_task(_work(app, name, database, slices, handlers))] if settings().work == "on" and app.state.loops else []
        try:
            yield
        finally:
            await _stop(tasks)
            await database.engine.dispose()

    app = FastAPI(
        title=f"Muster {name}",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # shared/description.py answers it
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.loops, app.state.sentences = True, sentences
    app.state.name, app.state.handlers, app.state.measures = name, handlers, measures
    app.state.errand_kinds = sorted(kind for one in slices for kind in one.errands)
    answer_problems(app)
    app.include_router(watch_routes(name))
    for one in slices:
        app.include_router(one)
    refuse_naked_routes(app)
    describe(app)
    app.add_exception_handler(IntegrityError, _constraint_spoke)
    app.add_middleware(Outermost, last_resort=_last_resort, observe=measures.observe)
    configure_mappers()  # now rather than at the first request: what is made before the fork is shared by all
    return app


def _constraint_spoke(request: Request, broken: Exception) -> Response:
    assert isinstance(broken, IntegrityError)
    spoken = refused_by_constraint(broken)
    if isinstance(spoken, Refused):
        return problem(request, spoken.status, spoken.code, spoken.params)
    return unexpected(request, broken)


def _last_resort(request: Request, odd: BaseException) -> Response:
    """503 when the store is away, else 500."""
    if is_away(odd):
        cause = getattr(getattr(odd, "orig", None), "__cause__", None) or odd  # the driver's own word: a disk that is full has one
        log.warning("away", reference=reference(request), path=request.scope.get("path"), reason=type(cause).__name__)
        return problem(request, 503, "not_available", headers={"Retry-After": "2"})
    return unexpected(request, odd)


async def _begin(begin: Callable[[Database], Any], database: Database) -> None:
    """What a service must know before the first request; when it says that it must not start, that sentence is all one reads."""
    try:
        await begin(database)
    except SystemExit as sentence:
        print(sentence, file=sys.stderr, flush=True)  # noqa: T201  # the server would print a traceback around it
        os._exit(3)


def refuse_naked_routes(app: FastAPI) -> None:
    """Deny by default: a route without a door stops the start."""
    for found in iter_route_contexts(app.routes):
        route = found.original_route
        if isinstance(route, APIRoute) and not list(doors_of(route.dependant)):
            raise RuntimeError(f"a route without a door: {sorted(route.methods or ())} {route.path}")


def consumers_of(app: FastAPI) -> list[tuple[str, str]]:
    """The durable consumers of a service and the subjects they filter, which its rights in NATS name one by one."""
    return [(handler.name, handler.subject) for handler in app.state.handlers]


async def _work(app: FastAPI, name: str, database: Database, slices: Sequence[Slice], handlers: Sequence[Handler]) -> None:
    dues = {kind: act for one in slices for kind, act in one.dues.items()} | {SWEEP: sweep}
    works = {kind: work for one in slices for kind, work in one.works.items()}
    runs = {kind: run for one in slices for kind, run in one.errands.items()}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_kept_running("due rows", due.DueLoop(database, dues).run))
        tasks.create_task(_kept_running("jobs", job.JobLoop(database, works).run))
        tasks.create_task(_kept_running("errands", errand.ErrandLoop(database, runs).run))
        tasks.create_task(_kept_running("spare connections", Spare(database.engine).run))
        tasks.create_task(_kept_running("messages", lambda: _messages(app, name, database, handlers)))


async def _kept_running(what: str, loop: Callable[[], Awaitable[None]]) -> None:
    """One loop's accident leaves the others running, and is begun again."""
    while goes_on():
        try:
            await loop()
        except Exception as odd:
            log.error("loop fell over and is begun again", loop=what, error=f"{type(odd).__name__}: {odd}"[:300])
            await asyncio.sleep(1)


async def _messages(app: FastAPI, name: str, database: Database, handlers: Sequence[Handler]) -> None:
    nc = await _connected(name)
    app.state.nc = nc
    app.state.heard.set()
    try:
        async with asyncio.TaskGroup() as tasks:
            for stream in told_by(name):
                tasks.create_task(Relay(database, nc, stream).run())
            for handler in handlers:
                tasks.create_task(Inbox(database, nc, handler).run())
    finally:
        with contextlib.suppress(Exception):  # a connection that is away cannot be flushed, and need not be
            await asyncio.wait_for(nc.flush(), 1)  # acknowledgements of what was committed; the rest comes again
        with contextlib.suppress(Exception):
            await asyncio.wait_for(nc.close(), 1)


async def _connected(name: str) -> Client:
    while True:
        try:
            nc = await connect_within(settings().nats_url.get_secret_value(), name)
            with contextlib.suppress(NatsError, TimeoutError, OSError):
                await ensure_stream(nc.jetstream(timeout=5))
            return nc
        except (NatsError, TimeoutError, OSError) as away:
            log.warning("NATS cannot be reached, or does not know this service", reason=str(away) or type(away).__name__)
            await asyncio.sleep(1)


async def _stop(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=5)
