"""Imports: everything is shown before anything is written, nothing is doubled, nothing is invented, and the numbers add up."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import func, select, text

from infra.postgres import Postgres
from services.personnel.acts import compute_standing, name_person
from services.personnel.importing import jobs
from services.personnel.importing.acts import connection_of
from services.personnel.importing.cells import unpack
from services.personnel.tables import Department, Dose, Fitness, Import, ImportRow, Person, Standing, Statement
from shared import clock, job
from shared.auth import SYSTEM, Caller
from shared.bookings import taken
from shared.clock import now, real_now
from shared.events import (
    ContactsChanged,
    DepartmentsChanged,
    FitnessChanged,
    HealthRecordChanged,
    ImportMoved,
    PeopleChanged,
    ProofsChanged,
    RecordLooked,
)
from shared.house import Job
from shared.job import Progress
from shared.settings import settings
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    AGENCY_WORKER,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    LOGISTICS,
    NOW,
    PEOPLE,
    RECORDS_SYSTEM,
    STAFF,
    TEACHING,
)
from tests.services.institution import settle
from tests.services.lists import HEADINGS, IDENTITY, KNOWN, NEW, cells_of, commit, everything, rows_of, sheet, shown, upload

STAFF_ROW = (LIANG_YUAN.number, LIANG_YUAN.name)


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


async def dose(personnel: Door, given_on: str, **more: Any) -> None:
    wish = {"person_id": str(JIANG_CAIWEI.id), "product": "北京生物", "given_on": given_on, **more}
    assert (await personnel.post("/doses", wish, HEALTH)).status_code == 201


def person_row(number: str, name: str) -> Person:
    person = Person(number=number, name=name, department_id=TEACHING.id, employment="permanent", version=1)
    person.created_at = person.changed_at = now()
    name_person(person)
    return person


async def test_a_list_is_shown_and_then_written(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW, KNOWN))

    assert found["state"] == "ready", found
    assert found["counts"] == {"new": 1, "changed": 0, "same": 1, "refused": 0, "rows": 2}

    done = await commit(personnel, found["id"])

    assert done["state"] == "committed", done
    people = (await personnel.get("/people", HEALTH, params={"q": "jyn"})).json()["items"]
    assert people[0]["standing"]["code"] == "complete"


async def test_a_person_that_is_written_is_told_named_and_found_by_pinyin(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW, KNOWN))
    await commit(personnel, found["id"])

    told = [state for event in await personnel.told(PeopleChanged) for state in event.people]
    assert [(one.number, one.name, one.version) for one in told] == [("20210801", "简一诺", 1)]
    proofs = [state for event in await personnel.told(ProofsChanged) for state in event.proofs]
    assert [(one.person_id, one.phone_last4) for one in proofs] == [(told[0].id, "0801")]
    assert [one.state for one in await personnel.told(ImportMoved)] == ["reading", "ready", "committing", "committed"]
    assert [len(one.person_ids) for one in await personnel.told(HealthRecordChanged)] == [1]
    record = (await personnel.get(f"/people/{told[0].id}/health", HEALTH)).json()["programmes"][0]
    assert [(one["number"], one["product"], one["given_on"], one["source"], one["entered_by"]) for one in record["doses"]] == [
        (1, "bibp", "2021-03-12", "import", HEALTH.name),
        (2, "bibp", "2021-04-12", "import", HEALTH.name),
    ]


async def test_a_standing_that_is_imported_is_the_one_that_is_computed(personnel: Door) -> None:
    declined = ["20210802", "喻知秋", "教务处", "派遣", "", "", "", "", "拒绝接种", "", ""]
    late = ["20210803", "解云舒", "教务处", "聘用", "2004-02-29", "", "", "智飞", "2021-07-30", "", ""]
    found = await upload(personnel, sheet(NEW, declined, late, [*KNOWN[:7], "科兴", "2021-07-01", "", ""]))
    await commit(personnel, found["id"])

    async with personnel.rows() as tx:
        columns = list(Standing.__table__.columns)
        before = (await tx.execute(select(*columns).order_by(Standing.person_id, Standing.from_on))).all()
        for person in await tx.scalars(select(Person)):
            await compute_standing(tx, person, "covid19")
        after = (await tx.execute(select(*columns).order_by(Standing.person_id, Standing.from_on))).all()
        infinite = await tx.scalar(select(func.count()).where(Standing.from_on == date.min))
    assert before == after
    assert infinite == len(PEOPLE) + 3


async def test_a_fitness_that_is_imported_is_the_one_that_is_computed_and_told_once(personnel: Door) -> None:
    once = ["20210804", "甘棠", "教务处", "聘用", "", "", "", "康希诺", "2021-07-30", "", ""]
    begun = ["20210805", "陶一鸣", "教务处", "聘用", "", "", "", "科兴", "2021-07-30", "", ""]
    found = await upload(personnel, sheet(NEW, once, begun, [*KNOWN[:7], "科兴", "2021-07-01", "科兴", "2021-07-31"]))
    await commit(personnel, found["id"])

    told = [one for event in await personnel.told(FitnessChanged) for one in event.fitness]
    before = await everything(personnel, Fitness)
    async with personnel.rows() as tx:
        for person in await tx.scalars(select(Person)):
            await compute_standing(tx, person, "covid19")

    assert sorted((str(one.fit_from), one.fit_until, one.rule, one.version) for one in told) == [
        ("2021-04-11 16:00:00+00:00", None, "testing_point", 1),
        ("2021-07-29 16:00:00+00:00", None, "testing_point", 1),
        ("2021-07-30 16:00:00+00:00", None, "testing_point", 1),
    ]
    assert await everything(personnel, Fitness) == before
    assert len(await personnel.told(FitnessChanged)) == 1


async def test_whom_a_list_makes_unfit_is_told_too(personnel: Door) -> None:
    await dose(personnel, "2021-07-01")
    await dose(personnel, "2021-07-31")
    found = await upload(personnel, sheet([*KNOWN[:7], "北京生物", "2021-07-25", "北京生物", "2021-07-31"]))
    await commit(personnel, found["id"])

    told = [one for event in await personnel.told(FitnessChanged) for one in event.fitness]
    assert [(one.fit_from is None, one.version) for one in told] == [(False, 1), (True, 2)]


async def test_addresses_of_a_list_are_told_where_they_are_new(personnel: Door) -> None:
    headings = [*HEADINGS, "电子邮箱"]
    nobody = ["20210806", "庄晓梦", "教务处", "在编", *[""] * 8]
    rows = [[*NEW, "Jian.Yinuo@Mail.Example.ORG"], [*KNOWN, "20140312@mail.example.org"], nobody, [*STAFF_ROW, "", "", *[""] * 7, "无"]]
    found = await upload(personnel, sheet(*rows, headings=headings))
    assert next(one["field"] for one in found["columns"] if one["heading"] == "电子邮箱") == "email"
    assert found["counts"] == {"new": 2, "changed": 0, "same": 2, "refused": 0, "rows": 4}
    await commit(personnel, found["id"])

    again = await upload(personnel, sheet([*KNOWN, "neu@mail.example.org"], headings=headings))
    assert (await rows_of(personnel, again["id"]))[0]["changes"] == [
        {"field": "email", "old": "20140312@mail.example.org", "new": "neu@mail.example.org"}
    ]
    await commit(personnel, again["id"])

    told = [(one.phone, one.email, one.version) for event in await personnel.told(ContactsChanged) for one in event.contacts]
    assert told == [("+8619900000801", "Jian.Yinuo@mail.example.org", 1), ("+8619900000312", "neu@mail.example.org", 2)]


async def test_what_is_no_address_is_refused(personnel: Door) -> None:
    found = await upload(personnel, sheet([*NEW, "not an address"], headings=[*HEADINGS, "E-mail address"]))

    told = await rows_of(personnel, found["id"], "refused")
    assert [(error["field"], error["code"]) for error in told[0]["errors"]] == [("email", "email_wrong")]


async def test_whoever_left_by_a_list_cannot_be_had_from_then_on(personnel: Door) -> None:
    headings = ["工号", "姓名", "处室", "用工形式", "离职日期"]
    for left_on in ("2021-08-10", "2021-08-12"):
        found = await upload(personnel, sheet([*KNOWN[:4], left_on], headings=headings))
        await commit(personnel, found["id"])

        async with personnel.rows() as tx:
            (one,) = await taken(tx, [JIANG_CAIWEI.id], NOW, NOW + timedelta(days=900))
        assert (one.kind, one.ref, one.starts_at) == ("unavailable", JIANG_CAIWEI.id, datetime.fromisoformat(f"{left_on}T00:00:00+08:00"))


async def test_the_same_file_again_changes_nothing(personnel: Door) -> None:
    content = sheet(NEW, [*KNOWN[:7], "科兴", "2021-03-12", "科兴", "2021-04-12"])
    first = await upload(personnel, content)
    await commit(personnel, first["id"])
    people, before = await personnel.told(PeopleChanged), await everything(personnel, Person, Dose, Standing, Statement)

    again = await upload(personnel, content)
    assert again["counts"] == {"new": 0, "changed": 0, "same": 2, "refused": 0, "rows": 2}
    done = await commit(personnel, again["id"])

    assert (done["state"], done["counts"]) == ("committed", again["counts"])
    assert await everything(personnel, Person, Dose, Standing, Statement) == before
    assert await personnel.told(PeopleChanged) == people


async def test_all_errors_are_told_at_once_with_the_rows_of_the_file(personnel: Door) -> None:
    rows = [
        NEW,
        ["20210804", "甘棠", "教务处", "在编", "1990-13-02", "123", "2021-07-01", "新官灭活", "2021-03-12", "", "2021-02-01"],
        ["", "", "教务处", "在编", "", "", "", "", "", "", ""],
        ["20210801", "又一个", "教务处", "在编", "", "", "", "", "", "", ""],
        ["2021 08 05", "陶一鸣", "没有的处", "", "", "", "", "", "", "", ""],
    ]
    found = await upload(personnel, sheet(*rows))

    assert found["counts"] == {"new": 1, "changed": 0, "same": 0, "refused": 4, "rows": 5}
    told = await rows_of(personnel, found["id"], "refused")
    assert {one["row_no"]: sorted(error["code"] for error in one["errors"]) for one in told} == {
        4: ["doses_out_of_order", "no_such_month", "phone_wrong", "product_missing", "product_unknown_suggestion"],
        5: ["no_name", "no_number"],
        6: ["twice_in_file"],
        7: ["department_unknown", "employment_missing", "number_wrong"],
    }


@pytest.mark.parametrize(("field", "most"), [("number", 40), ("name", 100)])
async def test_a_number_and_a_name_are_as_long_by_list_as_by_hand(personnel: Door, field: str, most: int) -> None:
    for length, outcome, status in ((most, "new", 201), (most + 1, "refused", 422)):
        wish = {"number": f"N{length}", "name": "简一诺", field: "N" * length}
        found = await upload(personnel, sheet([wish["number"], wish["name"], "教务处", "在编", *[""] * 7]))
        (row,) = await rows_of(personnel, found["id"])
        by_hand = await personnel.post("/people", {**wish, "department_id": str(TEACHING.id), "employment": "permanent"}, HEALTH)

        assert (row["outcome"], by_hand.status_code) == (outcome, status), by_hand.text
    told = [(row["errors"][0][key], by_hand.json()["errors"][0][key]) for key in ("field", "code")]
    assert told == [(field, field), ("too_long", "too_long")]


async def test_nothing_is_written_before_it_is_committed(personnel: Door) -> None:
    before = await everything(personnel, Person, Department, Dose, Standing)

    found = await upload(personnel, sheet(NEW))

    assert await everything(personnel, Person, Department, Dose, Standing) == before
    answer = await personnel.delete(f"/imports/{found['id']}", HEALTH)
    assert answer.status_code == 204
    assert (await shown(personnel, found["id"]))["state"] == "abandoned"
    assert await everything(personnel, ImportRow) == []
    assert (await personnel.post(f"/imports/{found['id']}/commit", None, HEALTH)).json()["code"] == "not_ready"


async def test_identity_numbers_are_recognised_and_stand_nowhere(personnel: Door, database_name: str, postgres: Postgres) -> None:
    headings = [*HEADINGS, "身份证号", "备注"]
    rows = [
        [*NEW, IDENTITY, f"身份证{IDENTITY}"],
        [IDENTITY, "甘棠", "教务处", "在编", "", "", "", "", "", "", "", IDENTITY, ""],
        ["20210805", f"庄晓梦 {IDENTITY}", "教务处", "在编", "", "", "", "", "", "", "", "", ""],
    ]
    found = await upload(personnel, sheet(*rows, headings=headings, title=f"名册 {IDENTITY}"), f"名册{IDENTITY}.xlsx")

    assert found["identity_numbers_count"] == 6
    assert next(one for one in found["columns"] if one["heading"] == "身份证号")["field"] == "identity_number"
    told = {one["row_no"]: [error["code"] for error in one["errors"]] for one in await rows_of(personnel, found["id"], "refused")}
    assert told == {4: ["number_is_identity"], 5: ["number_is_identity"]}

    answer = await personnel.get(f"/imports/{found['id']}/refused", HEALTH)
    await personnel.put(f"/imports/{found['id']}/columns", {"columns": {"12": "name"}}, HEALTH)
    await personnel.works()
    await commit(personnel, found["id"])

    assert IDENTITY not in "".join(str(cell) for row in cells_of(answer.content) for cell in row)
    async with personnel.rows() as tx:
        for cells in await tx.scalars(select(Import.cells)):
            assert IDENTITY not in str(unpack(cells or b""))
    connection = await asyncpg.connect(postgres.url("postgres", database=database_name))
    try:
        tables = await connection.fetch("select schemaname, tablename from pg_tables where schemaname in ('personnel', 'identity')")
        for schema, table in tables:
            text = await connection.fetchval(f"select string_agg(t::text, '') from {schema}.\"{table}\" t")
            assert IDENTITY not in (text or ""), table
            assert IDENTITY.encode().hex() not in (text or ""), table
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_sheet"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"%PDF-1.7 no list", "not_a_sheet"),
        (b"<html><table></table></html>", "web_page"),
        (sheet(NEW)[:-900], "damaged"),
        ('工号,姓名\n1,"甲\n'.encode(), "quotes_wrong"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_with_the_reason(personnel: Door, content: bytes, code: str) -> None:
    answer = await personnel.request("POST", "/imports", HEALTH, files={"file": ("名册.xlsx", content)})

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert await everything(personnel, Import, ImportRow, Job) == []


async def test_a_file_that_is_too_large_is_refused(personnel: Door) -> None:
    answer = await personnel.request("POST", "/imports", HEALTH, files={"file": ("名册.csv", b"1,2\n" * 5_100_000)})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


async def test_departments_that_are_not_there_are_made_only_when_somebody_says_so(personnel: Door) -> None:
    found = await upload(personnel, sheet([*NEW[:2], "信息中心", *NEW[3:]], ["20210806", "庄晓梦", "信息 中心", "在编", *[""] * 7]))
    assert found["new_departments"] == [{"name": "信息中心", "rows_count": 1}, {"name": "信息 中心", "rows_count": 1}]
    assert found["counts"]["refused"] == 2

    await personnel.put(f"/imports/{found['id']}/columns", {"create_departments": True}, HEALTH)
    await personnel.works()
    found = await shown(personnel, found["id"])
    assert found["new_departments"] == [{"name": "信息中心", "rows_count": 2}]
    done = await commit(personnel, found["id"])

    assert done["counts"]["new"] == 2
    assert [one.name for event in await personnel.told(DepartmentsChanged) for one in event.departments] == ["信息中心"]
    people = (await personnel.get("/people", HEALTH, params={"q": "202108"})).json()["items"]
    assert {one["department"]["name"] for one in people} == {"信息中心"}


async def test_what_holds_for_all_new_people_is_chosen_and_never_guessed(personnel: Door) -> None:
    found = await upload(personnel, sheet(["20210801", "简一诺"], headings=["工号", "姓名"]))
    codes = [error["code"] for error in (await rows_of(personnel, found["id"]))[0]["errors"]]
    assert codes == ["department_missing", "employment_missing"]

    await personnel.put(f"/imports/{found['id']}/columns", {"employment": "agency", "department": TEACHING.name}, HEALTH)
    await personnel.works()

    assert (await commit(personnel, found["id"]))["counts"]["new"] == 1


async def test_a_known_person_is_changed_where_the_list_says_something_else(personnel: Door) -> None:
    row = [JIANG_CAIWEI.number, "江采微", LOGISTICS.name, "派遣", "", "", "", "", "", "", ""]
    found = await upload(personnel, sheet(row))

    told = (await rows_of(personnel, found["id"]))[0]
    assert told["outcome"] == "changed"
    assert told["changes"] == [
        {"field": "name", "old": "江采薇", "new": "江采微"},
        {"field": "department", "old": TEACHING.name, "new": LOGISTICS.name},
        {"field": "employment", "old": "permanent", "new": "agency"},
    ]
    assert [one["code"] for one in told["warnings"]] == ["name_differs"]
    await commit(personnel, found["id"])

    person = (await personnel.get(f"/people/{JIANG_CAIWEI.id}", HEALTH)).json()
    assert (person["name"], person["employment"], person["phone"], person["version"]) == ("江采微", "agency", "+8619900000312", 2)
    assert person["joined_on"] == "2012-03-01"
    assert await personnel.told(HealthRecordChanged) == []


async def test_the_list_corrects_a_dose_and_both_stay_readable(personnel: Door) -> None:
    await dose(personnel, "2021-03-21", lot="L1")
    await dose(personnel, "2021-04-20")
    found = await upload(personnel, sheet([*KNOWN[:7], "北京生物", "2021-03-12", "北京生物", "2021-04-20"]))

    told = (await rows_of(personnel, found["id"]))[0]
    assert told["changes"] == [{"field": "dose1_on", "old": "2021-03-21", "new": "2021-03-12"}]
    assert (await personnel.told(RecordLooked))[-1].person_ids == [JIANG_CAIWEI.id]
    await commit(personnel, found["id"])

    record = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"][0]
    assert [(one["given_on"], one["superseded"], one["lot"]) for one in record["doses"]] == [
        ("2021-03-12", False, "L1"),
        ("2021-03-21", True, "L1"),
        ("2021-04-20", False, None),
    ]
    assert record["standing"]["code"] == "complete"


async def test_a_person_who_was_changed_meanwhile_is_refused_and_the_rest_is_written(personnel: Door) -> None:
    moved = [STAFF_ROW[0], STAFF_ROW[1], LOGISTICS.name, "在编", *[""] * 7]
    found = await upload(personnel, sheet(NEW, [*KNOWN[:7], "科兴", "2021-03-12", "", ""], moved))
    assert found["counts"] == {"new": 1, "changed": 2, "same": 0, "refused": 0, "rows": 3}

    await dose(personnel, "2021-03-01")
    async with personnel.rows() as tx:
        tx.add(person_row("20210801", "别人"))
    done = await commit(personnel, found["id"])

    assert done["counts"] == {"new": 0, "changed": 1, "same": 0, "refused": 2, "rows": 3}
    told = await rows_of(personnel, found["id"], "refused")
    assert [(one["row_no"], one["errors"][0]["code"]) for one in told] == [(3, "changed_meanwhile"), (4, "changed_meanwhile")]
    record = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()["programmes"][0]
    assert [one["given_on"] for one in record["doses"]] == ["2021-03-01"]


async def test_what_changes_between_computing_and_writing_is_left_out_too(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW, [*KNOWN[:7], "科兴", "2021-03-12", "", ""]))
    await personnel.post(f"/imports/{found['id']}/commit", None, HEALTH)
    async with personnel.rows() as tx:
        job = (await tx.scalars(select(Job).where(Job.kind == "import.commit"))).one()
        job.state, job.tries, job.claimed_until = "running", 1, real_now() + timedelta(minutes=1)
    finish = await jobs.commit(personnel.database, job, Progress(personnel.database, job.id))

    await dose(personnel, "2021-03-01")
    async with personnel.rows() as tx:
        tx.add(person_row("20210801", "别人"))
    async with personnel.rows() as tx:
        await finish(tx)

    done = await shown(personnel, found["id"])
    assert (done["state"], done["counts"]) == ("committed", {"new": 0, "changed": 0, "same": 0, "refused": 2, "rows": 2})
    assert len(await everything(personnel, Dose)) == 1
    assert await personnel.told(PeopleChanged) == []


async def test_a_commit_is_written_once_however_often_it_is_pressed(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW))

    answers = await asyncio.gather(*(personnel.post(f"/imports/{found['id']}/commit", None, HEALTH) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    await asyncio.gather(personnel.works(), personnel.works())
    late = await personnel.post(f"/imports/{found['id']}/commit", None, HEALTH)

    assert (late.status_code, late.json()["state"]) == (202, "committed")
    assert len(await everything(personnel, Dose)) == 2
    assert len(await personnel.told(PeopleChanged)) == 1


async def test_a_commit_that_was_killed_leaves_nothing_and_is_done_again(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW))
    await personnel.post(f"/imports/{found['id']}/commit", None, HEALTH)
    async with personnel.rows() as tx:
        job = (await tx.scalars(select(Job).where(Job.kind == "import.commit"))).one()
        job.state, job.tries, job.claimed_until = "running", 1, real_now() - timedelta(seconds=1)
    finish = await jobs.commit(personnel.database, job, Progress(personnel.database, job.id))
    async with personnel.database.sessions(info={"caller": SYSTEM, "scope": personnel.database.scope}) as tx:
        await finish(tx)
        await tx.rollback()  # what PostgreSQL does when the process is gone
    assert await everything(personnel, Dose) == []

    async with personnel.rows() as tx:
        (await tx.get_one(Job, job.id)).claimed_until = real_now() - timedelta(seconds=1)
    await personnel.works()
    async with personnel.rows() as tx:  # whoever was thought dead comes back late
        await finish(tx)

    assert (await shown(personnel, found["id"]))["counts"]["new"] == 1
    assert len(await everything(personnel, Dose)) == 2
    assert len(await personnel.told(PeopleChanged)) == 1


async def test_the_list_is_removed_when_its_time_is_over(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW))
    done = await commit(personnel, found["id"])
    assert done["kept_until"]

    clock.set_now(NOW + timedelta(days=settings().import_days, minutes=1))
    await personnel.dues()

    left = await shown(personnel, found["id"])
    assert (left["state"], left["counts"], left["columns"]) == ("committed", done["counts"], [])
    assert await everything(personnel, ImportRow) == []
    assert (await personnel.get(f"/imports/{found['id']}/refused", HEALTH)).status_code == 409


@pytest.mark.parametrize("caller", [STAFF, HEAD, LEADER, ADMINISTRATOR, AGENCY_WORKER, RECORDS_SYSTEM])
async def test_nobody_else_imports(personnel: Door, caller: Caller) -> None:
    found = await upload(personnel, sheet(NEW))
    path = f"/imports/{found['id']}"

    answers = [
        await personnel.request("POST", "/imports", caller, files={"file": ("a.csv", b"1")}),
        await personnel.get("/imports", caller),
        await personnel.get(path, caller),
        await personnel.get(f"{path}/rows", caller),
        await personnel.put(f"{path}/columns", {}, caller),
        await personnel.post(f"{path}/commit", None, caller),
        await personnel.get(f"{path}/refused", caller),
        await personnel.delete(path, caller),
    ]

    assert {answer.status_code for answer in answers} == {403}


async def test_the_imports_are_listed_the_latest_first(personnel: Door) -> None:
    await upload(personnel, sheet(NEW), "一.xlsx")
    await upload(personnel, sheet(KNOWN), "二.xlsx")

    listed = (await personnel.get("/imports", HEALTH)).json()

    assert [(one["file_name"], one["counts"]["rows"]) for one in listed["items"]] == [("二.xlsx", 1), ("一.xlsx", 1)]
    assert listed["total"] == 2


async def test_an_unknown_import_is_not_found(personnel: Door) -> None:
    path = f"/imports/{uuid4()}"
    answers = [
        await personnel.get(path, HEALTH),
        await personnel.get(f"{path}/rows", HEALTH),
        await personnel.put(f"{path}/columns", {}, HEALTH),
        await personnel.post(f"{path}/commit", None, HEALTH),
        await personnel.get(f"{path}/refused", HEALTH),
        await personnel.delete(path, HEALTH),
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_the_same_upload_with_the_same_key_is_one_import(personnel: Door) -> None:
    content = sheet(NEW)
    request = personnel.client.build_request("POST", "/imports", files={"file": ("名册.xlsx", content)})
    headers = {"content-type": request.headers["content-type"]}

    answers = [await personnel.request("POST", "/imports", HEALTH, key="k", content=request.read(), headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert len(await everything(personnel, Import)) == 1


async def test_whoever_watches_an_import_does_not_carry_its_cells(personnel: Door) -> None:
    """They are megabytes of a big list, and an open page asks again and again."""
    found = await upload(personnel, sheet(NEW))
    for path in (f"/imports/{found['id']}", "/imports"):
        assert (await personnel.get(path, HEALTH)).status_code == 200
        assert not [asked for asked in personnel.statements if "cells" in asked]


async def test_a_list_is_begun_at_once_and_not_at_the_next_look(personnel: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "POLL_SECONDS", 600)
    loop = asyncio.create_task(
        job.JobLoop(personnel.database, {kind: work for one in personnel.slices for kind, work in one.works.items()}).run()
    )
    await asyncio.sleep(0.2)  # it has looked, and waits
    answer = await personnel.request("POST", "/imports", HEALTH, files={"file": ("名册.xlsx", sheet(NEW))})
    async with asyncio.timeout(30):
        while (await shown(personnel, answer.json()["id"]))["state"] != "ready":  # noqa: ASYNC110  # what is waited for is in a database
            await asyncio.sleep(0.1)
    loop.cancel()


async def test_a_large_import_keeps_its_plans_and_nobody_after_it(personnel: Door) -> None:
    """PostgreSQL looks a foreign key up for each row; to plan that anew each time is most of the work."""
    async with personnel.rows() as tx:
        connection = await connection_of(tx, 120)
        assert await connection.fetchval("show plan_cache_mode") == "auto"
    async with personnel.rows() as tx:
        assert await tx.scalar(text("show plan_cache_mode")) == "force_custom_plan"
