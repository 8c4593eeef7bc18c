"""What the log says of an accident: what went wrong, never whose name or number was being written."""

import io
import json

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request

from shared.service import _last_resort
from shared.web import without_values
from tests.doors import Door

PHONE = "13900001234"


def logged(odd: BaseException) -> str:
    """The line that an accident leaves, as the processes write it."""
    said = io.StringIO()
    last = structlog.processors.JSONRenderer(ensure_ascii=False)
    chain: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, without_values, last]
    structlog.wrap_logger(structlog.PrintLogger(said), processors=chain).error("unexpected", error=str(odd), exc_info=odd)
    return said.getvalue()


@pytest.mark.parametrize(
    ("statement", "given", "stays"),
    [
        ("insert into department (name, sort_key) values (:it, 'x')", PHONE, "null value in column"),
        ("select cast(:it as integer)", f"{PHONE} x", "invalid input for query argument"),
        ("select 1 / (length(:it) - 11)", PHONE, "division by zero"),
    ],
)
async def test_no_line_repeats_what_was_to_be_written(personnel: Door, statement: str, given: str, stays: str) -> None:
    with pytest.raises(DBAPIError) as accident:
        async with personnel.rows() as tx:
            await tx.execute(text(statement), {"it": given})

    line = logged(accident.value)

    assert PHONE not in line
    assert stays in line
    assert json.loads(line)["exception"].startswith("Traceback")


@pytest.mark.parametrize(
    "address",
    [
        "/activate/7K3M9-QXT2W",
        "/activations/7K3M9-QXT2W",
        "/activations/7K3M9-QXT2W?x=1",
        "/feeds/7K3M9-QXT2W/duties.ics",
        "/checkin/7K3M9-QXT2W",
    ],
)
def test_no_line_repeats_a_code_by_which_somebody_comes_in(address: str) -> None:
    line = json.dumps(without_values(None, "warning", {"event": "away", "path": address}))

    assert "7K3M9" not in line
    assert address.split("7K3M9")[0] in line


async def test_a_full_disk_is_called_so(personnel: Door) -> None:
    with pytest.raises(DBAPIError) as full:
        async with personnel.rows() as tx:
            await tx.execute(text("do $$ begin raise exception using errcode = 'disk_full'; end $$"))

    with structlog.testing.capture_logs() as lines:
        answer = _last_resort(Request({"type": "http", "path": "/doses", "headers": []}), full.value)

    assert answer.status_code == 503
    assert [(line["event"], line["reason"]) for line in lines] == [("away", "DiskFullError")]
