"""Coverage adds up to the head-count of the day whatever the day; a head learns whom to urge, and nothing else."""

import io
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import insert, update

from services.personnel.acts import span_row
from services.personnel.rules.doses import Given
from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.rules.standing import CODES, Exempt, Statement, standing_on, timeline
from services.personnel.tables import Department, Person, Standing
from shared import clock
from shared.auth import Caller
from shared.clock import now
from shared.events import RecordLooked
from tests.doors import Door, errors_of
from tests.people import (
    ADMINISTRATOR,
    DEPARTMENTS,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LOGISTICS,
    OTHER_HEAD,
    PEOPLE,
    RECORDS_SYSTEM,
    REPORTER,
    SHEN_ZHIXING,
    STAFF,
    TEACHING,
    caller,
    client,
)
from tests.services.institution import settle

PROGRAMME = PROGRAMMES["covid19"]
READS_COVERAGE = client("dashboard", "coverage:read")
READS_RECORDS = client("health-authority", "vaccination:read")
SECRETS = ("code", "valid_count", "next_from_on", "unknown", "overdue", "declined", "not_started")


@pytest.fixture
async def settled(personnel: Door) -> None:
    await settle(personnel)


async def says(personnel: Door, person: Any, kind: str) -> None:
    body = {"person_id": str(person.id), "kind": kind, "on": "2021-08-01"}
    assert (await personnel.post("/statements", body, HEALTH)).status_code == 201


async def dose(personnel: Door, person: Any, given_on: str) -> None:
    body = {"person_id": str(person.id), "product": "北京生物", "given_on": given_on}
    assert (await personnel.post("/doses", body, HEALTH)).status_code == 201


def book(content: bytes) -> list[list[list[Any]]]:
    found = python_calamine.load_workbook(io.BytesIO(content))
    return [found.get_sheet_by_name(name).to_python() for name in found.sheet_names]


@pytest.mark.usefixtures("settled")
async def test_buckets_add_up_to_the_head_count(personnel: Door) -> None:
    await says(personnel, JIANG_CAIWEI, "declined")
    await dose(personnel, SHEN_ZHIXING, "2021-03-12")

    found = (await personnel.get("/coverage", LEADER)).json()

    assert (found["on"], found["total"]) == ("2021-08-04", len(PEOPLE))
    assert set(found["buckets"]) == set(CODES)
    assert {code: count for code, count in found["buckets"].items() if count} == {"declined": 1, "overdue": 1, "unknown": 9}
    for parts in (found["by_department"], found["by_employment"]):
        assert sum(part["total"] for part in parts) == found["total"]
        assert all(sum(part["buckets"].values()) == part["total"] for part in parts)
    assert len(personnel.statements) <= 4


@pytest.mark.usefixtures("settled")
async def test_the_head_count_is_that_of_the_day(personnel: Door) -> None:
    async with personnel.rows() as tx:
        joined, left = date(2021, 8, 4), date(2021, 8, 4)
        await tx.execute(update(Person).where(Person.id == JIANG_CAIWEI.id).values(joined_on=joined))
        await tx.execute(update(Person).where(Person.id == STAFF.person_id).values(left_on=left))
        await tx.execute(update(Person).where(Person.id == SHEN_ZHIXING.id).values(joined_on=None))

    totals = {on: (await personnel.get(f"/coverage?on={on}", HEALTH)).json()["total"] for on in ("2021-08-03", "2021-08-04", "2012-02-29")}

    assert totals["2021-08-03"] == len(PEOPLE) - 1  # one joins tomorrow
    assert totals["2021-08-04"] == len(PEOPLE) - 1  # one has joined, one has left
    assert totals["2012-02-29"] == 1  # of one it is not known when they joined


@pytest.mark.usefixtures("settled")
async def test_a_head_sees_their_own_departments(personnel: Door) -> None:
    found = (await personnel.get("/coverage", HEAD)).json()

    assert [one["department"]["name"] for one in found["by_department"]] == [TEACHING.name]
    assert found["total"] == sum(1 for one in PEOPLE if one.department is TEACHING)


@pytest.mark.usefixtures("settled")
async def test_of_a_small_department_a_head_learns_how_many_to_urge_and_not_how_anybody_stands(personnel: Door) -> None:
    await says(personnel, SHEN_ZHIXING, "declined")
    await dose(personnel, JIANG_CAIWEI, "2021-07-30")

    answer = await personnel.get("/coverage", HEAD)
    urged = (await personnel.get("/coverage/urge", HEAD)).json()["total"]

    found = answer.json()
    for one in (found, *found["by_department"], *found["by_employment"]):
        assert (one["total"], one["urged_count"], one["others_count"], one["buckets"]) == (4, urged, 2, None)
    assert not [code for code in CODES if f'"{code}"' in answer.text]


@pytest.mark.usefixtures("settled")
async def test_of_a_large_department_a_head_learns_how_many_stand_how_unless_a_number_is_small(personnel: Door) -> None:
    counts = {"due": 5, "overdue": 6, "complete": 9, "exempt": 5}  # and the four of the cast are unknown
    ids = await _standing_so(personnel, counts, TEACHING)
    small = (await personnel.get("/coverage", HEAD)).json()
    await _standing_so(personnel, {"unknown": 1}, TEACHING, "five")
    large = (await personnel.get("/coverage", HEAD)).json()
    async with personnel.rows() as tx:
        await tx.execute(update(Person).where(Person.id == ids[-1]).values(left_on=date(2021, 8, 1)))  # of five who are exempt one leaves
    again = (await personnel.get("/coverage", HEAD)).json()

    assert (small["total"], small["buckets"], small["urged_count"], small["others_count"]) == (29, None, 15, 14)
    assert {code: count for code, count in large["buckets"].items() if count} == counts | {"unknown": 5}
    assert [one["buckets"] for one in (*large["by_department"], *large["by_employment"])] == [None, None]
    assert (again["total"], again["buckets"]) == (29, None)


@pytest.mark.usefixtures("settled")
async def test_a_head_does_not_learn_of_a_department_by_what_it_lacks_of_two(personnel: Door) -> None:
    both = caller(SHEN_ZHIXING, "head", departments=(TEACHING, LOGISTICS))
    await _standing_so(personnel, {"due": 5, "unknown": 5, "complete": 9, "exempt": 5}, TEACHING)

    found = (await personnel.get("/coverage", both)).json()

    assert sum(found["buckets"].values()) == found["total"] == 31
    assert [(one["total"], one["buckets"]) for one in found["by_department"]] == [(3, None), (28, None)]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("path", ["/coverage", "/coverage/export"])
async def test_a_head_does_not_ask_day_by_day_from_when_somebody_is_urged(personnel: Door, path: str) -> None:
    for on in ("2021-08-03", "2021-11-01"):
        answer = await personnel.get(f"{path}?on={on}", HEAD)
        assert (answer.status_code, errors_of(answer)) == (422, [("on", "today_alone", {})])
    assert (await personnel.get(f"{path}?on=2021-08-04", HEAD)).status_code == 200


@pytest.mark.usefixtures("settled")
async def test_a_head_s_workbook_says_no_more_than_the_page(personnel: Door) -> None:
    by_department, by_employment = book((await personnel.get("/coverage/export", HEAD)).content)
    await _standing_so(personnel, {"due": 5, "unknown": 5, "complete": 9, "exempt": 5}, TEACHING)
    *parts, by_standing = book((await personnel.get("/coverage/export", HEAD)).content)

    assert by_department[2:] == [["处室", "人数", "要催种", "其他人"], ["教务处", 4.0, 4.0, 0.0], ["合计", 4.0, 4.0, 0.0]]
    assert by_employment[2] == ["用工类别", "人数", "要催种", "其他人"]
    assert [len(part[2]) for part in parts] == [4, 4]
    assert by_standing[2:5] == [["接种情况", "人数"], ["已完成", 9.0], ["该接种", 5.0]]


@pytest.mark.usefixtures("settled")
async def test_a_head_counts_and_urges_those_below_as_well(personnel: Door) -> None:
    async with personnel.rows() as tx:
        await tx.execute(update(Department).where(Department.id == LOGISTICS.id).values(parent_id=TEACHING.id))

    found = (await personnel.get("/coverage", HEAD)).json()
    urged = (await personnel.get("/coverage/urge", HEAD)).json()

    assert {one["department"]["name"]: one["total"] for one in found["by_department"]} == {TEACHING.name: 4, LOGISTICS.name: 3}
    assert found["urged_count"] == urged["total"] == 7


@pytest.mark.usefixtures("settled")
async def test_a_head_from_another_department_is_not_counted_with_theirs(personnel: Door) -> None:
    foreign = caller(JIANG_CAIWEI, "head", departments=(LOGISTICS,))

    found = (await personnel.get("/coverage", foreign)).json()
    names = [one["person"]["name"] for one in (await personnel.get("/coverage/urge", foreign)).json()["items"]]

    assert [one["department"]["name"] for one in found["by_department"]] == [LOGISTICS.name]
    assert JIANG_CAIWEI.name not in names


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("who", "coverage", "urge"),
    [
        (HEALTH, 200, 200),
        (LEADER, 200, 403),
        (HEAD, 200, 200),
        (REPORTER, 403, 403),
        (STAFF, 403, 403),
        (ADMINISTRATOR, 403, 403),
        (READS_COVERAGE, 200, 403),
        (READS_RECORDS, 403, 200),
        (RECORDS_SYSTEM, 403, 403),
    ],
)
async def test_who_sees_coverage_and_who_the_urge_list(personnel: Door, who: Caller, coverage: int, urge: int) -> None:
    for path, status in (
        ("/coverage", coverage),
        ("/coverage/export", coverage),
        ("/coverage/urge", urge),
        ("/coverage/urge/export", urge),
    ):
        assert (await personnel.get(path, who)).status_code == status
        assert (await personnel.get(path)).status_code == 401


@pytest.mark.usefixtures("settled")
async def test_a_head_is_told_names_without_reasons_or_doses(personnel: Door) -> None:
    await dose(personnel, JIANG_CAIWEI, "2021-03-12")

    answer = await personnel.get("/coverage/urge", HEAD)

    items = answer.json()["items"]
    assert {one["person"]["name"] for one in items} == {one.name for one in PEOPLE if one.department is TEACHING}
    assert all(one["standing"] is one["since_on"] is one["declined"] is None for one in items)
    assert not [word for word in SECRETS if f'"{word}"' in answer.text.replace('"declined":null', "")]
    foreign = await personnel.get(f"/coverage/urge?department_id={LOGISTICS.id}", HEAD)
    assert foreign.json()["items"] == []
    assert (await personnel.get("/coverage/urge", OTHER_HEAD)).json()["total"] == 3


@pytest.mark.usefixtures("settled")
async def test_health_records_see_what_is_due_and_since_when(personnel: Door) -> None:
    await dose(personnel, JIANG_CAIWEI, "2021-06-20")

    found = (await personnel.get(f"/coverage/urge?department_id={TEACHING.id}", HEALTH)).json()

    mine = next(one for one in found["items"] if one["person"]["name"] == JIANG_CAIWEI.name)
    assert (mine["standing"]["code"], mine["since_on"], mine["standing"]["next_until_on"]) == ("due", "2021-07-11", "2021-08-15")


@pytest.mark.usefixtures("settled")
async def test_who_declined_stands_apart_and_who_is_exempt_or_waits_does_not_stand_there(personnel: Door) -> None:
    await says(personnel, SHEN_ZHIXING, "declined")
    await dose(personnel, JIANG_CAIWEI, "2021-07-30")  # three weeks are not over

    found = (await personnel.get(f"/coverage/urge?department_id={TEACHING.id}", HEALTH)).json()
    to_head = (await personnel.get("/coverage/urge", HEAD)).json()

    assert found["declined_count"] == 1
    assert [one["declined"] for one in found["items"]] == [False, False, True]
    assert found["items"][-1]["person"]["name"] == SHEN_ZHIXING.name
    assert JIANG_CAIWEI.name not in {one["person"]["name"] for one in found["items"]}
    assert (to_head["total"], to_head["declined_count"]) == (2, None)


@pytest.mark.usefixtures("settled")
async def test_nobody_below_the_age_is_urged_before_a_first_dose(personnel: Door) -> None:
    body = {"number": "Y1", "name": "夏小满", "department_id": str(TEACHING.id), "employment": "trainee", "born_on": "2005-09-01"}
    young = (await personnel.post("/people", body, HEALTH)).json()

    assert (await personnel.get(f"/people/{young['id']}/health", HEALTH)).json()["programmes"][0]["standing"]["code"] == "unknown"
    assert (await personnel.get("/coverage/urge", HEALTH)).json()["total"] == len(PEOPLE)
    assert (await personnel.get("/coverage", HEALTH)).json()["total"] == len(PEOPLE) + 1


@pytest.mark.usefixtures("settled")
async def test_an_exemption_that_lapsed_puts_the_person_back_by_itself(personnel: Door) -> None:
    wish: dict[str, Any] = {"person_id": str(JIANG_CAIWEI.id), "kind": "temporary", "from_on": "2021-07-01", "until_on": "2021-10-31"}
    wish |= {"issuer": "市医院", "certificate": True, "reason": "孕期"}
    one = (await personnel.post("/exemptions", wish, HEALTH)).json()["id"]
    await personnel.post(f"/exemptions/{one}/approval", {"verdict": "approved"}, LEADER)

    urged = {}
    for on in ("2021-08-04", "2021-10-31", "2021-11-01"):
        clock.set_now(datetime.fromisoformat(f"{on}T07:40:00+08:00"))
        items = (await personnel.get("/coverage/urge", HEALTH)).json()["items"]
        urged[on] = JIANG_CAIWEI.name in {one["person"]["name"] for one in items}

    assert urged == {"2021-08-04": False, "2021-10-31": False, "2021-11-01": True}


@pytest.mark.usefixtures("settled")
async def test_looks_at_the_urge_list_are_on_record(personnel: Door) -> None:
    await personnel.get("/coverage/urge", HEAD)

    looks = await personnel.told(RecordLooked)
    assert [(one.looker_name, one.what, one.filter) for one in looks] == [(HEAD.name, "list", {"list": "urge", "page": 1})]
    assert set(looks[0].person_ids) == {one.id for one in PEOPLE if one.department is TEACHING and one.id != HEAD.person_id}


@pytest.mark.usefixtures("settled")
async def test_an_export_is_on_record_with_who_filter_and_count(personnel: Door) -> None:
    await personnel.get("/coverage/export?on=2021-08-01&lang=en", READS_COVERAGE)
    await personnel.get(f"/coverage/urge/export?department_id={LOGISTICS.id}", HEALTH)

    whole, urge = await personnel.told(RecordLooked)
    assert (whole.what, whole.client_id, whole.people_count, whole.person_ids) == ("export", READS_COVERAGE.client_id, len(PEOPLE), [])
    assert whole.filter == {"list": "coverage", "on": "2021-08-01", "lang": "en"}
    assert (urge.what, urge.people_count, len(urge.person_ids)) == ("export", 3, 3)
    assert urge.filter == {"list": "urge", "department_id": [str(LOGISTICS.id)], "lang": "zh-Hans"}


@pytest.mark.usefixtures("settled")
async def test_the_workbook_says_what_the_page_says(personnel: Door) -> None:
    answer = await personnel.get("/coverage/export?lang=en", HEALTH)
    by_department, by_employment = book(answer.content)

    assert answer.headers["content-disposition"].startswith('attachment; filename="coverage.xlsx"')
    assert by_department[2][:3] == ["Department", "People", "complete"]
    assert by_department[-1][:2] == ["All", 11.0] == by_employment[-1][:2]
    assert sum(row[1] for row in by_department[3:-1]) == 11


@pytest.mark.usefixtures("settled")
async def test_the_urge_list_goes_out_no_further_than_the_page(personnel: Door) -> None:
    await dose(personnel, JIANG_CAIWEI, "2021-03-12")

    (to_health,) = book((await personnel.get("/coverage/urge/export", HEALTH)).content)
    (to_head,) = book((await personnel.get("/coverage/urge/export", HEAD)).content)

    assert to_health[3][4:] == ["接种情况", "自", "最早接种日", "最晚接种日", "有效剂次", "应种剂次"]
    assert "逾期" in {row[4] for row in to_health[4:]}
    assert to_head[3] == ["工号", "姓名", "处室", "用工类别"]
    assert {row[2] for row in to_head[4:]} == {TEACHING.name}


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("on", "code"),
    [
        ("0001-01-01", "too_long_ago"),
        ("9999-12-31", "too_far_ahead"),
        ("2021-02-30", "not_a_date"),
        ("abc", "not_a_date"),
        ("2021-08-04T07:40", "not_a_date"),
    ],
)
async def test_a_day_that_is_none_of_ours_is_refused(personnel: Door, on: str, code: str) -> None:
    answer = await personnel.get(f"/coverage?on={on}", HEALTH)

    assert (answer.status_code, [(one[0], one[1]) for one in errors_of(answer)]) == (422, [("on", code)])


DAYS = some.dates(date(2021, 1, 1), date(2022, 6, 30))


@some.composite
def records(draw: some.DrawFn) -> dict[str, Any]:
    """Somebody with whatever may be on record."""
    products = some.sampled_from([one.code for one in PROGRAMME.products])
    return {
        "department": draw(some.sampled_from(DEPARTMENTS)),
        "employment": draw(some.sampled_from(["permanent", "agency", "trainee"])),
        "joined_on": draw(some.none() | DAYS),
        "stayed": draw(some.none() | some.integers(0, 300)),
        "born_on": draw(some.none() | some.dates(date(1950, 1, 1), date(2008, 1, 1))),
        "given": draw(some.lists(some.builds(lambda product, on: Given(uuid4(), product, on), products, DAYS), max_size=4)),
        "exempt": draw(
            some.lists(some.builds(lambda on, days: Exempt("temporary", on, on + timedelta(days)), DAYS, some.integers(0, 200)), max_size=2)
        ),
        "statements": draw(
            some.lists(some.builds(Statement, some.sampled_from(["declined", "not_started", "elsewhere"]), DAYS), max_size=2)
        ),
    }


COLLECTED: list[tuple[list[dict[str, Any]], list[date]]] = []


@given(people=some.lists(records(), min_size=1, max_size=12), days=some.lists(DAYS, min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def _examples(people: list[dict[str, Any]], days: list[date]) -> None:
    COLLECTED.append((people, days))


async def test_coverage_is_what_the_rule_says_of_each_person_on_any_day(personnel: Door) -> None:
    await settle(personnel)
    async with personnel.rows() as tx:
        await tx.execute(update(Person).values(left_on=date(2012, 3, 1)))  # the cast is gone: the people of the test are alone
    _examples()
    for number, (people, days) in enumerate(COLLECTED):
        ids = [await _add(personnel, f"N{number}-{place}", one) for place, one in enumerate(people)]
        for on in days:
            found = (await personnel.get(f"/coverage?on={on}", HEALTH)).json()
            expected = _brute_force(people, on)
            assert {key: count for key, count in _cells(found).items() if count} == expected
        async with personnel.rows() as tx:
            await tx.execute(update(Person).where(Person.id.in_(ids)).values(joined_on=date(1990, 1, 1), left_on=date(1990, 1, 1)))


def _left(one: dict[str, Any]) -> date | None:
    return None if one["stayed"] is None else (one["joined_on"] or date(2021, 1, 1)) + timedelta(one["stayed"])


def _brute_force(people: list[dict[str, Any]], on: date) -> dict[tuple[str, str], int]:
    expected: dict[tuple[str, str], int] = {}
    for one in people:
        left_on = _left(one)
        if (one["joined_on"] and one["joined_on"] > on) or (left_on and left_on <= on):
            continue
        record = {name: one[name] for name in ("born_on", "given", "exempt", "statements")}
        code = standing_on(PROGRAMME, on, **record).code
        for key in (("all", code), (one["department"].name, code), (one["employment"], code)):
            expected[key] = expected.get(key, 0) + 1
    return expected


def _cells(found: dict[str, Any]) -> dict[tuple[str, str], int]:
    cells = {("all", code): count for code, count in found["buckets"].items()}
    for part in found["by_department"]:
        cells |= {(part["department"]["name"], code): count for code, count in part["buckets"].items()}
    for part in found["by_employment"]:
        cells |= {(part["employment"], code): count for code, count in part["buckets"].items()}
    assert sum(found["buckets"].values()) == found["total"] == sum(part["total"] for part in found["by_department"])
    return cells


async def _add(personnel: Door, number: str, one: dict[str, Any]) -> UUID:
    person = Person(
        id=uuid4(),
        number=number,
        name=number,
        sort_key=number,
        findable=number,
        pieces=[],
        department_id=one["department"].id,
        employment=one["employment"],
        born_on=one["born_on"],
        joined_on=one["joined_on"],
        left_on=_left(one),
        version=1,
        created_at=now(),
        changed_at=now(),
    )
    record = {name: one[name] for name in ("born_on", "given", "exempt", "statements")}
    async with personnel.rows() as tx:
        tx.add(person)
        await tx.flush()
        await tx.execute(insert(Standing), [span_row(person.id, "covid19", span) for span in timeline(PROGRAMME, **record)])
    return person.id


async def _standing_so(personnel: Door, counts: dict[str, int], department: Any, space: str = "many") -> list[UUID]:
    """So many more people of a department, who stand so since ever."""
    ids = []
    async with personnel.rows() as tx:
        for code, count in counts.items():
            for i in range(count):
                name = f"{space}-{code}-{i}"
                person = Person(id=uuid4(), number=name, name=name, sort_key=name, findable=name, pieces=[], department_id=department.id)
                person.employment, person.version, person.created_at, person.changed_at = "permanent", 1, now(), now()
                tx.add(person)
                await tx.flush()
                span = {"from_on": date.min, "until_on": date.max, "valid_count": 0, "needed_count": 2, "notes": []}
                tx.add(Standing(person_id=person.id, programme="covid19", code=code, **span))
                ids.append(person.id)
    return ids
