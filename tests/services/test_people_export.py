"""The list of people as a workbook: whom the page finds, in its order, to the extent that the caller sees it, and on record."""

import io
from datetime import date
from typing import Any

import pytest
import python_calamine
from openpyxl import load_workbook
from sqlalchemy import update

from services.personnel.tables import Person
from shared.auth import Caller
from shared.events import RecordLooked
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    PEOPLE,
    RECORDS_SYSTEM,
    REPORTER,
    STAFF,
    TEACHING,
    client,
)
from tests.services.institution import settle


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


def sheet(content: bytes) -> list[list[Any]]:
    book = python_calamine.load_workbook(io.BytesIO(content))
    return book.get_sheet_by_index(0).to_python()


async def lines(personnel: Door, query: str, who: Caller = HEALTH) -> list[list[Any]]:
    answer = await personnel.get(f"/people/export?{query}", who)
    assert answer.status_code == 200, answer.text
    found = sheet(answer.content)
    return found[next(at for at, row in enumerate(found) if row[0] in ("工号", "Number")) + 1 :]


@pytest.mark.parametrize("query", ["", "sort=number", "sort=department", "q=jcw", "employment=agency", "standing=unknown", "left=true"])
async def test_the_workbook_holds_whom_the_page_finds_in_its_order(personnel: Door, query: str) -> None:
    async with personnel.rows() as tx:
        await tx.execute(update(Person).where(Person.id == STAFF.person_id).values(left_on=date(2021, 8, 1)))

    page = (await personnel.get(f"/people?{query}&page_size=200", HEALTH)).json()["items"]

    assert [row[0] for row in await lines(personnel, query)] == [one["number"] for one in page]
    assert page


async def test_how_people_stand_goes_to_those_alone_who_may_see_it(personnel: Door) -> None:
    to_health = sheet((await personnel.get("/people/export?lang=en", HEALTH)).content)
    to_head = sheet((await personnel.get("/people/export", HEAD)).content)

    assert to_health[3][:6] == ["Number", "Name", "Department", "Employment", "Left on", "Standing"]
    assert {row[5] for row in to_health[4:]} == {"unknown"}
    assert to_head[3] == ["工号", "姓名", "处室", "用工类别", "离开日期"]
    assert {row[2] for row in to_head[4:]} == {TEACHING.name}
    assert (await personnel.get("/people/export?standing=unknown", HEAD)).status_code == 403
    assert (await personnel.get("/people/export?standing=unknown", LEADER)).status_code == 403


@pytest.mark.parametrize(
    ("who", "status", "count"),
    [
        (HEALTH, 200, len(PEOPLE)),
        (LEADER, 200, len(PEOPLE)),
        (HEAD, 200, 4),
        (REPORTER, 200, 4),
        (client("staff", "people:read"), 200, len(PEOPLE)),
        (STAFF, 403, 0),
        (ADMINISTRATOR, 403, 0),
        (client("dashboard", "coverage:read"), 403, 0),
    ],
)
async def test_who_takes_the_list_away(personnel: Door, who: Caller, status: int, count: int) -> None:
    answer = await personnel.get("/people/export", who)

    assert answer.status_code == status
    assert status == 403 or len(sheet(answer.content)) == 4 + count
    assert (await personnel.get("/people/export")).status_code == 401


async def test_it_says_which_filter_was_set_and_is_on_record_with_who_filter_and_count(personnel: Door) -> None:
    path = f"/people/export?q=jiang&department_id={TEACHING.id}&employment=permanent&left=true&sort=number"
    answer = await personnel.get(path, HEALTH)
    await personnel.get("/people/export?lang=en", RECORDS_SYSTEM)
    await personnel.get("/people/export?q=nobody", LEADER)

    about = [row[0] for row in sheet(answer.content)[:4]]
    assert about == [
        "人员列表",
        "日期 2021-08-04",
        "人数 1",
        "筛选 jiang · 教务处 · 在编 · 含已离开的人",
    ]
    assert answer.headers["content-disposition"].startswith('attachment; filename="people.xlsx"')
    mine, system, empty = await personnel.told(RecordLooked)
    assert (mine.looker_name, mine.what, mine.people_count, mine.person_ids) == (HEALTH.name, "export", 1, [JIANG_CAIWEI.id])
    filters = {"q": "jiang", "department_id": [str(TEACHING.id)], "employment": "permanent", "left": True, "sort": "number"}
    assert mine.filter == {"list": "people", **filters, "lang": "zh-Hans"}
    assert (system.client_id, system.people_count, system.person_ids) == (RECORDS_SYSTEM.client_id, len(PEOPLE), [])  # no health in it
    assert (empty.looker_name, empty.people_count) == (LEADER.name, 0)


async def test_a_name_that_looks_like_a_formula_stays_text(personnel: Door) -> None:
    async with personnel.rows() as tx:
        await tx.execute(update(Person).where(Person.id == JIANG_CAIWEI.id).values(name="=1+1"))

    book = load_workbook(io.BytesIO((await personnel.get("/people/export?q=jcw", HEALTH)).content))

    cell = next(cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == "=1+1")
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
