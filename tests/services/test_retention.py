"""A person takes away all that is kept about them; of who left, nothing is kept beyond its time; and all can be told again."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from services.personnel.retell import retell
from services.personnel.tables import Department, Dose, Exemption, Import, ImportRow, Person, Remark, Standing, Statement
from shared import clock
from shared.auth import Caller
from shared.clock import now
from shared.events import DepartmentsChanged, PeopleChanged, PeopleRemoved, RecordLooked, StateTold
from shared.house import Due
from shared.settings import settings as house
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    DEPARTMENTS,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LOGISTICS,
    PEOPLE,
    RECORDS_SYSTEM,
    SHEN_ZHIXING,
    STAFF,
    TEACHING,
    caller,
)
from tests.services.institution import settle

TABLES: tuple[Any, ...] = (Dose, Exemption, Statement, Standing, Remark, ImportRow)
MINE = caller(JIANG_CAIWEI)


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


async def everything_about(personnel: Door, person: Any, own: Caller) -> None:
    """A dose and its correction, an exemption, a statement, a remark and a row of a staff list."""
    about: dict[str, Any] = {"person_id": str(person.id)}
    dose = (await personnel.post("/doses", about | {"product": "北京生物", "given_on": "2021-03-21", "lot": "错的批号"}, HEALTH)).json()
    await personnel.post(f"/doses/{dose['dose']['id']}/corrections", {"given_on": "2021-03-12", "note": "按接种证"}, HEALTH)
    wish = about | {"kind": "permanent", "from_on": "2021-08-01", "issuer": "市医院", "certificate": True, "reason": "重症过敏"}
    await personnel.post("/exemptions", wish, HEALTH)
    await personnel.post("/statements", about | {"kind": "declined", "on": "2021-03-01", "note": "当时的话"}, HEALTH)
    await personnel.post("/remarks", {"about": "dose", "text": "批号不对"}, own)
    listed = Import(
        id=uuid4(),
        file_name="名册.xlsx",
        state="committed",
        choices={},
        found={},
        counts={"rows": 1},
        uploaded_by_name="何若宁",
        uploaded_at=now(),
    )
    await personnel.has(listed)
    row: dict[str, Any] = {"parsed": {"name": person.name}, "changes": [], "errors": [], "warnings": []}
    await personnel.has(
        ImportRow(import_id=listed.id, row_no=2, outcome="new", person_id=None, number=person.number, name=person.name, **row)
    )


async def kept(personnel: Door, person_id: UUID, number: str) -> dict[str, int]:
    async with personnel.rows() as tx:
        counts = {}
        for table in TABLES:
            mine = (ImportRow.number == number) if table is ImportRow else (table.person_id == person_id)
            counts[table.__tablename__] = int(await tx.scalar(select(func.count()).select_from(table).where(mine)) or 0)
        counts["person"] = int(await tx.scalar(select(func.count()).select_from(Person).where(Person.id == person_id)) or 0)
    return counts


async def test_a_copy_holds_everything_that_is_kept_about_the_person(personnel: Door) -> None:
    await everything_about(personnel, JIANG_CAIWEI, MINE)

    answer = await personnel.get("/people/me/copy", MINE)

    assert answer.headers["content-disposition"] == 'attachment; filename="muster-personnel-2021-08-04.json"'
    for told in ("错的批号", "按接种证", "重症过敏", "当时的话", "批号不对", "名册.xlsx", "+8619900000312", "1985-05-17", TEACHING.name):
        assert told in answer.text, told
    copy = answer.json()
    assert len(copy["programmes"][0]["doses"]) == 2
    assert copy["standings"][0]["from_on"] is None
    assert await personnel.told(RecordLooked) == []
    assert len(personnel.statements) <= 10


async def test_a_copy_holds_every_column_of_the_person(personnel: Door) -> None:
    copy = (await personnel.get("/people/me/copy", MINE)).json()

    told = {*copy, *copy["person"], "department_id", "findable"}  # told as `department` and `found_by`
    assert {column.name for column in Person.__table__.columns} - told == {"sort_key", "pieces"}  # both follow from `found_by`


async def test_a_copy_holds_nothing_of_others(personnel: Door) -> None:
    await everything_about(personnel, JIANG_CAIWEI, MINE)

    for own in (STAFF, HEALTH, LEADER, ADMINISTRATOR):
        copy = await personnel.get("/people/me/copy", own)
        assert copy.json()["person"]["name"] == own.name
        assert "重症过敏" not in copy.text
        assert JIANG_CAIWEI.name not in copy.text
    assert (await personnel.get("/people/me/copy", RECORDS_SYSTEM)).status_code == 404
    assert (await personnel.get("/people/me/copy")).status_code == 401


async def test_a_head_reads_in_the_copy_which_departments_they_answer_for(personnel: Door) -> None:
    copy = (await personnel.get("/people/me/copy", caller(SHEN_ZHIXING))).json()

    assert [one["name"] for one in copy["answers_for"]] == [TEACHING.name]


async def leaves(personnel: Door, on: str | None, version: int = 1, person: Any = JIANG_CAIWEI) -> None:
    answer = await personnel.patch(f"/people/{person.id}", {"left_on": on, "version": version}, HEALTH)
    assert answer.status_code == 200, answer.text


def stand_at(on: date) -> None:
    clock.set_now(datetime.fromisoformat(f"{on}T07:40:00+08:00"))


async def test_of_who_left_nothing_is_kept_beyond_its_time(personnel: Door) -> None:
    await everything_about(personnel, JIANG_CAIWEI, MINE)
    await leaves(personnel, "2021-08-04")
    over_on = date(2021, 8, 4) + timedelta(house().left_days)

    stand_at(over_on - timedelta(1))
    await personnel.dues()
    before = await kept(personnel, JIANG_CAIWEI.id, JIANG_CAIWEI.number)
    stand_at(over_on)
    await personnel.dues()

    assert all(before.values())
    assert not any((await kept(personnel, JIANG_CAIWEI.id, JIANG_CAIWEI.number)).values())
    assert [one.person_ids for one in await personnel.told(PeopleRemoved)] == [[JIANG_CAIWEI.id]]
    assert (await personnel.get(f"/people/{JIANG_CAIWEI.id}", HEALTH)).status_code == 404
    assert (await personnel.get("/people?left=true", HEALTH)).json()["total"] == len(PEOPLE) - 1


async def test_the_copy_says_when_the_record_is_removed(personnel: Door) -> None:
    await leaves(personnel, "2021-08-04")

    copy = (await personnel.get("/people/me/copy", MINE)).json()

    assert copy["removal_on"] == str(date(2021, 8, 4) + timedelta(house().left_days))


async def test_who_comes_back_is_kept(personnel: Door) -> None:
    await leaves(personnel, "2021-08-04")
    await leaves(personnel, None, 2)
    stand_at(date(2031, 1, 1))

    await personnel.dues()

    assert (await kept(personnel, JIANG_CAIWEI.id, JIANG_CAIWEI.number))["person"] == 1
    async with personnel.rows() as tx:
        assert await tx.get(Due, ("person.remove", str(JIANG_CAIWEI.id))) is None


async def test_a_slip_in_the_date_costs_no_record_at_once(personnel: Door) -> None:
    await leaves(personnel, "2012-08-04")  # meant was 2021
    await personnel.dues()
    assert (await kept(personnel, JIANG_CAIWEI.id, JIANG_CAIWEI.number))["person"] == 1

    await leaves(personnel, "2021-08-04", 2)
    stand_at(date(2021, 10, 1))
    await personnel.dues()

    assert (await kept(personnel, JIANG_CAIWEI.id, JIANG_CAIWEI.number))["person"] == 1


async def test_whoever_answered_for_a_department_no_longer_does(personnel: Door) -> None:
    await leaves(personnel, "2021-08-04", person=SHEN_ZHIXING)
    stand_at(date(2031, 1, 1))

    await personnel.dues()

    (told,) = await personnel.told(DepartmentsChanged)
    assert [(one.id, one.head_id, one.version) for one in told.departments] == [(TEACHING.id, None, 2)]


async def test_a_leaver_of_the_calendars_last_day_is_never_removed(personnel: Door) -> None:
    await leaves(personnel, "9999-12-31")

    async with personnel.rows() as tx:
        assert await tx.get(Due, ("person.remove", str(JIANG_CAIWEI.id))) is None


async def test_everything_is_told_again_as_one_moment_with_its_end(personnel: Door) -> None:
    counts = await retell(personnel.database)

    people, departments = await personnel.told(PeopleChanged), await personnel.told(DepartmentsChanged)
    (end,) = await personnel.told(StateTold)
    assert counts == (len(PEOPLE), len(DEPARTMENTS)) == (end.counts["people"], end.counts["departments"])
    assert {one.id for event in people for one in event.people} == {one.id for one in PEOPLE}
    assert {event.telling for event in people} | {event.telling for event in departments} == {end.telling}
    assert end.began_at <= now()
    subjects = [subject for subject, _ in await personnel.told_bodies()]
    assert subjects[-1] == StateTold.subject


async def test_a_telling_says_the_versions_that_hold(personnel: Door) -> None:
    await personnel.patch(f"/departments/{LOGISTICS.id}", {"name": "后勤处", "version": 1}, HEALTH)
    async with personnel.rows() as tx:
        row = await tx.get_one(Department, LOGISTICS.id)

    await retell(personnel.database)

    last = (await personnel.told(DepartmentsChanged))[-1]
    assert [(one.name, one.version) for one in last.departments if one.id == LOGISTICS.id] == [("后勤处", row.version)]
