"""Departments with everything below them: a token names those at the top, each service looks below in its own table."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import DeclarativeBase


def with_everything_below(departments: type[DeclarativeBase], top: Collection[UUID]) -> Select[Any]:
    """The ids of these departments and of all below them, in a service's table of departments; `union` ends a circle."""
    table = departments.__table__  # core, and without a name: a row scope stands several times in one statement, and is not scoped itself
    reached = select(table.c.id).where(table.c.id.in_(top)).cte(recursive=True)
    reached = reached.union(select(table.c.id).join(reached, table.c.parent_id == reached.c.id))
    return select(reached.c.id)
