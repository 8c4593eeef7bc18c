"""The live board of an operation: who is where now, sites by shifts, and the samples of each hour; for a desk, a wall and paper."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from gateway.operations.operation import grid_of
from gateway.pages import Pages, page
from gateway.rights import refuse_unless
from gateway.services import dispatch
from shared import clock

pages = Pages()

NAMED = 3  # so many of those who are missing are named in a cell of the board
MANY_SITES = 7  # more rows are set smaller on a wall
STEP, BAR, HIGH = 24, 18, 100  # of the chart, in its own units
MOST_DAYS = 21


@pages.get("/operations/{operation_id}/board")
async def show_board(request: Request, operation_id: UUID, on: date | None = None, wall: bool = False) -> Response:
    """The board of a day; `wall` without the frame, to be read from across the room."""
    refuse_unless(request, "board.read")
    now = clock.now().astimezone(clock.zone())
    board = await dispatch.get(f"/operations/{operation_id}/board", on=on)
    grid = grid_of(board["sites"])
    cells = [one for row in grid["rows"] for cell in row["cells"] for one in cell if one["state"] != "cancelled"]
    running = [one for one in cells if _begins(one) <= now < _ends(one)]
    ahead = [one for one in cells if _ends(one) > now]
    return page(
        request,
        "board/board.html",
        board=board,
        grid=grid,
        days=days_of(board["operation"], board["on"]),
        running={at for at, column in enumerate(grid["times"]) if _begins(column) <= now < _ends(column)},
        there=sum(one["checked_in"] for one in running),
        wanted=sum(one["head_count"] for one in running),
        late=sum(one["late"] for one in running),
        no_show=sum(one["no_show"] for one in cells),
        missing=sum(one["missing_count"] for one in ahead),
        unfit=sum(one["unfit_since"] for one in cells) if board["totals"]["unfit_since"] is not None else None,
        counts=counts_of(board["sites"], board["on"]),
        chart=chart_of(board["sites"], board["on"], now),
        wall=wall,
        dense=len(grid["rows"]) > MANY_SITES,
        named=NAMED,
    )


def _begins(one: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(one["starts_at"])


def _ends(one: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(one["ends_at"])


def days_of(operation: Mapping[str, Any], on: str) -> list[str]:
    """The days of an operation; of a long one those around the day shown."""
    first, last, here = (date.fromisoformat(one) for one in (operation["from_on"], operation["until_on"], on))
    first = max(first, min(here - timedelta(days=MOST_DAYS // 2), last - timedelta(days=MOST_DAYS - 1)))
    return [(first + timedelta(days=n)).isoformat() for n in range(min((last - first).days + 1, MOST_DAYS))]


def counts_of(sites: Sequence[Mapping[str, Any]], on: str) -> dict[str, Any]:
    """Samples by site and hour of the day, as a table: the hours any site counted in, a row a site, the sums."""
    by_site = {site["id"]: {one["hour"]: one["samples"] for one in site["counts"] if one["on"] == on} for site in sites}
    hours = sorted({hour for found in by_site.values() for hour in found})
    rows = [(site["name"], [by_site[site["id"]].get(hour) for hour in hours], sum(by_site[site["id"]].values())) for site in sites]
    sums = [sum(found.get(hour, 0) for found in by_site.values()) for hour in hours]
    return {"hours": hours, "rows": rows, "sums": sums, "total": sum(sums)}


def chart_of(sites: Sequence[Mapping[str, Any]], on: str, now: datetime) -> dict[str, Any] | None:
    """The columns of the chart: place, height and number of each hour from the first to the last that was counted; None without any."""
    table = counts_of(sites, on)
    if not table["hours"]:
        return None
    sums = dict(zip(table["hours"], table["sums"], strict=True))
    top = round_up(max(sums.values()))
    columns = []
    for nth, hour in enumerate(range(table["hours"][0], table["hours"][-1] + 1)):
        high = round(sums.get(hour, 0) / top * HIGH, 1)
        is_now = on == now.date().isoformat() and hour == now.hour
        columns.append({"hour": hour, "samples": sums.get(hour), "x": nth * STEP, "y": HIGH - high, "high": high, "now": is_now})
    return {"columns": columns, "width": max(len(columns) * STEP, 8 * STEP), "bar": BAR, "high": HIGH, "top": top}


def round_up(most: int) -> int:
    """The number at the top of the chart: one, two or five with noughts, not below the most."""
    at = 1
    while at * 10 <= most:
        at *= 10
    return next(at * each for each in (1, 2, 5, 10) if at * each >= most)
