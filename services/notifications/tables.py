"""notifications's schema on one page."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import DeclarativeBase, mapped_column

from shared.db import TYPES, metadata
from shared.known import DepartmentColumns, PersonColumns

__all__ = ["ForeignKey", "date", "datetime", "text"]


class Table(DeclarativeBase):
    """Base of notifications's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = {**TYPES, list[str]: ARRAY(Text), list[UUID]: ARRAY(PgUuid(as_uuid=True)), str: Text}


def _fresh_id() -> Any:
    return mapped_column(primary_key=True, server_default=text("uuidv7()"))


class KnownPerson(PersonColumns, Table):
    """Who somebody is here, as personnel told it."""

    __tablename__ = "known_person"


class KnownDepartment(DepartmentColumns, Table):
    """A department and those who answer for it, as personnel told it."""

    __tablename__ = "known_department"
