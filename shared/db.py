"""Rows and transactions: a handler is given `Tx` or `Read` and never commits; every statement is held to the rows its caller may see."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import DateTime, MetaData, Text, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InvalidatePoolError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.util import find_tables

from shared.auth import SYSTEM, Caller, caller_of
from shared.refusals import Refused

NAMING = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s__%(column_0_name)s_unknown",
    "uq": "%(table_name)s__%(column_0_name)s_taken",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "ck": "%(table_name)s__%(constraint_name)s",
}
TYPES: dict[Any, Any] = {str: Text, datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[dict[str, Any]]: JSONB}

Scope = Mapping[type[DeclarativeBase], Callable[[Caller], ColumnElement[bool] | None]]
"""A line a table: which of its rows a caller may see; None means all of them."""


def metadata() -> MetaData:
    """The metadata of one service: its tables, named by the house's rules."""
    return MetaData(naming_convention=NAMING)


_QUIET = {
    "max_parallel_workers_per_gather": "0",  # requests come side by side: one core each is the quickest for all
    "jit": "off",
    "plan_cache_mode": "force_custom_plan",  # a plan for any person and any day costs more than planning for this one
}


def engine_for(url: str, *, pool_size: int = 10, overflow: int = 5) -> AsyncEngine:
    """An engine with the settings the house has tried: a lost connection is noticed before it is used."""
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=2,
        hide_parameters=True,  # an error is logged with its words; what was to be written may be a name or a dose
        connect_args={"timeout": 2, "server_settings": _QUIET},
    )
    event.listen(engine.sync_engine, "checkout", _refuse_lost)
    return engine


def _refuse_lost(connection: Any, record: Any, proxy: Any) -> None:
    """A closed connection is known by itself, and with it every one that is as old; asking the server takes three round trips a request."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


class Database:
    """One service's database: its engine, its sessions, and the scope that holds each statement to its caller's rows."""

    def __init__(self, engine: AsyncEngine, scope: Scope) -> None:
        self.engine, self.scope = engine, scope
        self.sessions = async_sessionmaker(engine, expire_on_commit=False)
        self.published = asyncio.Event()  # set after a commit that told something, so that the relay need not wait for its poll
        self.job_began = asyncio.Event()  # the same for a job that was put on the list

    @asynccontextmanager
    async def transaction(self, caller: Caller) -> AsyncIterator[AsyncSession]:
        """One transaction on behalf of a caller: committed when the block ends, rolled back when it raises."""
        async with self.sessions(info={"caller": caller, "scope": self.scope}) as session:
            try:
                yield session
                await session.commit()
            except IntegrityError as broken:
                raise refused_by_constraint(broken) from broken
            if session.info.pop("told", False):
                self.published.set()
            if session.info.pop("began_job", False):
                self.job_began.set()

    @asynccontextmanager
    async def reading(self, caller: Caller) -> AsyncIterator[AsyncSession]:
        """A read-only transaction on behalf of a caller."""
        async with self.sessions(info={"caller": caller, "scope": self.scope}) as session:
            await session.connection(execution_options={"postgresql_readonly": True})
            yield session


def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


async def transaction(request: Request) -> AsyncIterator[AsyncSession]:
    """The handler's one transaction; committed before the answer leaves."""
    async with _database(request).transaction(caller_of(request)) as session:
        yield session


async def reading(request: Request) -> AsyncIterator[AsyncSession]:
    """The handler's read-only transaction."""
    async with _database(request).reading(caller_of(request)) as session:
        yield session


Tx = Annotated[AsyncSession, Depends(transaction, scope="function")]
Read = Annotated[AsyncSession, Depends(reading, scope="function")]


async def apart_of(request: Request) -> "Apart":
    """For what must outlive a refusal: a door to transactions of their own, as SYSTEM."""
    return Apart(_database(request))


class Apart:
    """`async with apart() as tx:` is a transaction of its own, which stays when the handler's is rolled back."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def __call__(self, caller: Caller = SYSTEM) -> Any:
        return self.database.transaction(caller)


Aside = Annotated[Apart, Depends(apart_of, scope="function")]


@event.listens_for(Session, "do_orm_execute")
def _hold_to_scope(state: ORMExecuteState) -> None:
    """Add the caller's row scope to every ORM statement; a session without a caller raises."""
    caller: Caller | None = state.session.info.get("caller")
    if caller is None:
        raise RuntimeError("a session without a caller may not ask for rows")
    if caller.kind == "system" or not (state.is_select or state.is_update or state.is_delete):
        return
    scope: Scope = state.session.info["scope"]
    asked = _tables_in(state.statement)
    held = [(table, allowed(caller)) for table, allowed in scope.items() if table.__table__ in asked]  # building a limit has its cost
    options = [with_loader_criteria(table, limit, include_aliases=True) for table, limit in held if limit is not None]
    if options:
        state.statement = state.statement.options(*options)


def _tables_in(statement: Any) -> set[Any]:
    """Every table that a statement names, also in joins, aliases and subqueries at any depth."""
    return set(
        find_tables(statement, check_columns=True, include_aliases=False, include_joins=False, include_selects=True, include_crud=True)
    )


@event.listens_for(Session, "before_flush")
def _hold_writes(session: Session, context: UOWTransaction, instances: Any) -> None:
    if "caller" not in session.info:
        raise RuntimeError("a session without a caller may not write rows")


@asynccontextmanager
async def as_system(tx: AsyncSession) -> AsyncIterator[AsyncSession]:
    """Behind the slice's door: the same transaction, for bulk writes and questions that go beyond the caller's rows."""
    caller = tx.info["caller"]
    tx.info["caller"] = SYSTEM
    try:
        yield tx
    finally:
        tx.info["caller"] = caller


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code for what went wrong, when it was PostgreSQL that said so."""
    found = getattr(getattr(error, "orig", None), "sqlstate", None) or getattr(error, "sqlstate", None)
    return str(found) if found else None


def refused_by_constraint(broken: IntegrityError) -> BaseException:
    """A constraint named `<table>__<code>` speaks for itself: Refused(code, 409). An unnamed one is our own mistake."""
    cause = getattr(broken.orig, "__cause__", None)
    name = getattr(cause, "constraint_name", None) or ""
    table, _, code = name.partition("__")
    return Refused(code, 409, {"row": table}) if code else broken


LOCKED = "55P03"  # what one waited for was held longer than the lock timeout
REPEATABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock


def must_repeat(error: BaseException) -> bool:
    """Did the database give up this transaction for another one's sake, or did DDL make an old statement stale? Then once more is right."""
    return sqlstate(error) in REPEATABLE or "cached statement plan is invalid" in str(getattr(error, "orig", ""))


def is_away(error: BaseException) -> bool:
    """Is it the store or the network that is down or too busy, rather than what was asked? Whoever waited in vain for a lock asks again."""
    if isinstance(error, PoolTimeout | InterfaceError | OSError | TimeoutError | asyncpg.InternalClientError | asyncpg.InterfaceError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is not None:
        return (state[:2] in {"08", "53", "57"} and state != "57014") or state == LOCKED
    return isinstance(error, SQLAlchemyError) and isinstance(error.__cause__, OSError)


async def lock(tx: AsyncSession, what: str, *ids: UUID | str) -> None:
    """Hold the advisory locks of these rows until the transaction ends; sorted, so that two holders never wait for each other."""
    connection = await tx.connection()
    for one in sorted(str(i) for i in ids):
        await connection.exec_driver_sql("select pg_advisory_xact_lock(hashtextextended($1, 0))", (f"{what}:{one}",))
