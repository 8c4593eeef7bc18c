"""People and departments: found by whoever may, by any way a name is typed; changed by one hand at a time."""

import asyncio
from typing import Any

import pytest

from shared.auth import Caller
from shared.events import DepartmentsChanged, HealthRecordChanged, PeopleChanged, ProofsChanged, RecordLooked
from shared.house import Due
from shared.web import SENTENCES
from tests.doors import Door
from tests.people import (
    ADMINISTRATOR,
    AGENCY_WORKER,
    DEPARTMENTS,
    FANG_JIBAI,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    LOGISTICS,
    OFFICE,
    PAN_XIANGYE,
    PEOPLE,
    PERSONNEL,
    RECORDS_SYSTEM,
    REPORTER,
    SHEN_ZHIXING,
    STAFF,
    TANG_YINAN,
    TEACHING,
    ZHONG_YIFAN,
    caller,
    client,
    id_of,
)
from tests.services.institution import settle

STAFF_LIST_SYSTEM = client("staff-list", "people:write")
TEACHERS = {one.name for one in PEOPLE if one.department is TEACHING}


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


async def names(personnel: Door, query: str = "", who: Caller = HEALTH) -> list[str]:
    answer = await personnel.get(f"/people?{query}", who)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["items"]]


@pytest.mark.parametrize(
    "q",
    [
        "江采薇",
        "采薇",
        "江",
        "薇",
        "jiangcaiwei",
        "jiang cai wei",
        "Jiang",
        "jcw",
        "ji",
        "caiwei",
        "20140312",
        "0312",
        "２０１４",
        "江 采薇",
    ],
)
async def test_a_person_is_found_however_the_name_is_typed(personnel: Door, q: str) -> None:
    answer = await personnel.get("/people", HEALTH, params={"q": q})

    assert JIANG_CAIWEI.name in [one["name"] for one in answer.json()["items"]]
    assert answer.json()["total"] == len(answer.json()["items"]) < len(PEOPLE)


@pytest.mark.parametrize("q", ["%", "_", "__", "%江%", "江_薇", "\\", "'; --", "江薇", "xyz", "*", "…"])
async def test_signs_are_signs_and_find_nobody(personnel: Door, q: str) -> None:
    answer = await personnel.get("/people", HEALTH, params={"q": q})

    assert (answer.status_code, answer.json()["total"]) == (200, 1 if q == "%江%" else 0)


async def test_an_empty_search_is_none(personnel: Door) -> None:
    assert len(await names(personnel, "q=")) == len(await names(personnel, "q=%20")) == len(PEOPLE)


async def test_a_number_with_a_dash_is_found_with_and_without_it(personnel: Door) -> None:
    wish = {"number": "A-0017.b", "name": "Zoë O'Brien-Müller", "department_id": str(OFFICE.id), "employment": "contract"}
    assert (await personnel.post("/people", wish, HEALTH)).status_code == 201

    for q in ("A-0017", "a0017b", "0017.b", "obrien", "müller", "zobm", "zoë", "O'Brien"):
        assert (await personnel.get("/people", HEALTH, params={"q": q})).json()["total"] == 1, q


async def test_letters_that_cannot_be_are_refused(personnel: Door) -> None:
    assert (await personnel.get("/people", HEALTH, params={"q": "a\x00b"})).status_code == 422
    assert (await personnel.get("/people", HEALTH, params={"q": "a" * 101})).status_code == 422
    assert (await personnel.get("/people?page=0", HEALTH)).status_code == 422
    assert (await personnel.get("/people?page_size=201", HEALTH)).status_code == 422
    assert (await personnel.get("/people?sort=phone", HEALTH)).status_code == 422


async def test_people_stand_in_the_order_of_pinyin_of_number_or_of_department(personnel: Door) -> None:
    assert (await names(personnel))[:3] == ["方既白", "傅行简", "顾长亭"]
    assert (await names(personnel, "sort=number"))[0] == LIANG_YUAN.name
    assert (await names(personnel, "sort=department"))[0] == "傅行简"  # 办公室


async def test_filters_add_up(personnel: Door) -> None:
    assert set(await names(personnel, f"department_id={TEACHING.id}")) == TEACHERS
    assert len(await names(personnel, f"department_id={TEACHING.id}&department_id={LOGISTICS.id}")) == 7
    assert await names(personnel, f"department_id={LOGISTICS.id}&employment=agency") == [PAN_XIANGYE.name]
    assert await names(personnel, f"department_id={TEACHING.id}&employment=agency") == []
    assert await names(personnel, f"department_id={id_of('none')}") == []


async def test_pages_follow_each_other_without_gap_or_repeat(personnel: Door) -> None:
    pages = [await names(personnel, f"page={page}&page_size=4") for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [4, 4, 3, 0]
    assert len({name for page in pages for name in page}) == len(PEOPLE)


async def test_counts_say_how_the_found_ones_stand(personnel: Door) -> None:
    dose = {"person_id": str(JIANG_CAIWEI.id), "product": "北京生物", "given_on": "2021-07-30"}
    await personnel.post("/doses", dose, HEALTH)

    found = (await personnel.get(f"/people?department_id={TEACHING.id}", HEALTH)).json()
    waiting = (await personnel.get(f"/people?department_id={TEACHING.id}&standing=in_progress", HEALTH)).json()

    assert {code: count for code, count in found["counts"].items() if count} == {"in_progress": 1, "unknown": 3}
    assert (waiting["total"], [one["name"] for one in waiting["items"]]) == (1, [JIANG_CAIWEI.name])
    assert waiting["counts"] == found["counts"]


@pytest.mark.parametrize("who", [LEADER, HEAD, client("reader", "people:read")])
async def test_standings_are_not_for_those_who_only_see_people(personnel: Door, who: Caller) -> None:
    found = (await personnel.get("/people", who)).json()

    assert found["counts"] is None
    assert {one["standing"] for one in found["items"]} == {None}
    assert (await personnel.get("/people?standing=overdue", who)).json()["code"] == "not_allowed"
    assert await personnel.told(RecordLooked) == []


@pytest.mark.parametrize(("who", "seen"), [(HEAD, TEACHERS), (REPORTER, TEACHERS), (LEADER, {one.name for one in PEOPLE})])
async def test_a_head_and_a_reporter_see_their_own_department(personnel: Door, who: Caller, seen: set[str]) -> None:
    assert set(await names(personnel, who=who)) == seen


async def test_a_head_who_asks_for_another_department_sees_nobody_there(personnel: Door) -> None:
    assert await names(personnel, f"department_id={LOGISTICS.id}", HEAD) == []
    assert (await personnel.get(f"/people/{TANG_YINAN.id}", HEAD)).status_code == 404


@pytest.mark.parametrize("who", [STAFF, AGENCY_WORKER, ADMINISTRATOR])
async def test_the_rest_search_nobody_and_read_themselves(personnel: Door, who: Caller) -> None:
    assert (await personnel.get("/people", who)).status_code == 403
    assert (await personnel.get(f"/people/{JIANG_CAIWEI.id}", who)).status_code == 404
    mine = (await personnel.get("/people/me", who)).json()
    assert (mine["name"], mine["phone"] is not None, mine["born_on"]) == (who.name, True, "1985-05-17")


async def test_a_system_has_no_me(personnel: Door) -> None:
    assert (await personnel.get("/people/me", RECORDS_SYSTEM)).status_code == 404


@pytest.mark.parametrize(
    ("who", "inside"), [(HEALTH, True), (STAFF_LIST_SYSTEM, True), (LEADER, False), (HEAD, False), (RECORDS_SYSTEM, False)]
)
async def test_contacts_are_for_those_who_keep_them(personnel: Door, who: Caller, inside: bool) -> None:
    found = (await personnel.get(f"/people/{JIANG_CAIWEI.id}", who)).json()

    assert ((found["phone"] is not None), (found["born_on"] is not None)) == (inside, inside)


async def test_a_list_with_standings_is_a_look(personnel: Door) -> None:
    await names(personnel, f"department_id={TEACHING.id}&page_size=2")

    (look,) = await personnel.told(RecordLooked)
    assert (look.what, look.people_count, look.filter) == ("list", 2, {"department_id": [str(TEACHING.id)], "page": 1})


async def test_a_person_is_added_once(personnel: Door) -> None:
    wish = {"number": "N1", "name": "单小满", "department_id": str(OFFICE.id), "employment": "trainee", "phone": "138 0013 8000"}

    answers = await asyncio.gather(*(personnel.post("/people", wish, HEALTH) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"number_taken"}
    assert await names(personnel, "q=shan") == ["单小满"]
    (told,) = await personnel.told(PeopleChanged)
    (proofs,) = await personnel.told(ProofsChanged)
    assert [(one.person_id, one.phone_last4, one.version) for one in proofs.proofs] == [(told.people[0].id, "8000", 1)]
    assert "13800138000" not in told.model_dump_json() + proofs.model_dump_json()


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"department_id": str(id_of("none"))}, "department_id", "unknown_id"),
        ({"phone": "12"}, "phone", "phone_wrong"),
        ({"born_on": "2021-08-05"}, "born_on", "in_future"),
        ({"born_on": "1821-08-05"}, "born_on", "too_long_ago"),
        ({"joined_on": "0021-08-05"}, "joined_on", "too_long_ago"),
        ({"born_on": "2000-01-01", "joined_on": "1999-01-01"}, "joined_on", "before_birth"),
        ({"name": "a\u202eb\x07"}, "name", "odd_characters"),
        ({"number": "=1+1"}, "number", "odd_characters"),
        ({"employment": "boss"}, "employment", "not_a_choice"),
        ({"id": str(id_of("x"))}, "id", "unknown_field"),
    ],
)
async def test_what_is_wrong_with_a_person_stands_beside_its_field(personnel: Door, change: dict[str, Any], field: str, code: str) -> None:
    wish = {"number": "N1", "name": "夏小满", "department_id": str(OFFICE.id), "employment": "trainee"}

    answer = await personnel.post("/people", wish | change, HEALTH)

    assert answer.status_code == 422
    assert (field, code) in [(one["field"], one["code"]) for one in answer.json()["errors"]]


@pytest.mark.parametrize("odd", [[], {}, 5, 1.5, True, "", "x" * 100_000], ids=repr)
async def test_whatever_stands_in_a_field_is_refused_with_a_sentence(personnel: Door, odd: Any) -> None:
    wish = dict.fromkeys(("number", "name", "department_id", "employment", "phone", "born_on"), odd)

    answers = [await personnel.post("/people", wish, HEALTH), await personnel.post("/people", odd, HEALTH)]

    for answer in answers:
        assert answer.status_code == 422
        for one in answer.json()["errors"]:
            assert one["code"] in SENTENCES, one


async def test_the_second_of_two_tabs_sees_what_changed_and_decides(personnel: Door) -> None:
    path = f"/people/{JIANG_CAIWEI.id}"
    first = await personnel.patch(path, {"name": "江采微", "version": 1}, HEALTH)
    second = await personnel.patch(path, {"employment": "contract", "version": 1}, HEALTH)

    assert (first.status_code, first.json()["version"]) == (200, 2)
    assert (second.status_code, second.json()["code"]) == (409, "changed_meanwhile")
    assert (second.json()["params"]["current"]["name"], second.json()["params"]["current"]["version"]) == ("江采微", 2)
    assert await names(personnel, "q=江采微") == ["江采微"]
    assert (await personnel.patch(path, {"employment": "contract", "version": 2}, HEALTH)).json()["employment"] == "contract"


async def test_a_change_that_changes_nothing_tells_nothing(personnel: Door) -> None:
    answer = await personnel.patch(f"/people/{JIANG_CAIWEI.id}", {"name": JIANG_CAIWEI.name, "version": 1}, HEALTH)

    assert (answer.status_code, answer.json()["version"]) == (200, 1)
    assert await personnel.told(PeopleChanged) == []


async def test_a_birth_date_changes_the_standing(personnel: Door) -> None:
    await personnel.patch(f"/people/{JIANG_CAIWEI.id}", {"born_on": None, "version": 1}, HEALTH)

    record = (await personnel.get(f"/people/{JIANG_CAIWEI.id}/health", HEALTH)).json()
    assert record["programmes"][0]["standing"]["notes"] == ["birth_date_missing"]
    assert len(await personnel.told(HealthRecordChanged)) == 1


async def test_who_left_is_out_of_the_list_unless_asked_for_and_is_to_be_removed(personnel: Door) -> None:
    path = f"/people/{JIANG_CAIWEI.id}"
    await personnel.patch(path, {"left_on": "2021-08-04", "version": 1}, HEALTH)

    assert JIANG_CAIWEI.name not in await names(personnel)
    assert JIANG_CAIWEI.name in await names(personnel, "left=true")
    async with personnel.rows() as tx:
        assert await tx.get(Due, ("person.remove", str(JIANG_CAIWEI.id))) is not None
    assert (await personnel.patch(path, {"left_on": "2012-02-01", "version": 2}, HEALTH)).json()["errors"][0][
        "code"
    ] == "left_before_joined"


@pytest.mark.parametrize("field", ["number", "name", "department_id", "employment"])
async def test_what_must_be_there_is_not_emptied(personnel: Door, field: str) -> None:
    answer = await personnel.patch(f"/people/{JIANG_CAIWEI.id}", {field: None, "version": 1}, HEALTH)

    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, "required")]


@pytest.mark.parametrize("who", [STAFF, HEAD, REPORTER, LEADER, ADMINISTRATOR, RECORDS_SYSTEM])
async def test_others_change_nobody_not_even_themselves(personnel: Door, who: Caller) -> None:
    for person_id in (JIANG_CAIWEI.id, who.person_id):
        assert (await personnel.patch(f"/people/{person_id}", {"name": "x", "version": 1}, who)).status_code == 403


async def test_everybody_sees_who_answers_for_which_department(personnel: Door) -> None:
    found = (await personnel.get("/departments", AGENCY_WORKER)).json()

    heads = {one["name"]: one["head"] and one["head"]["name"] for one in found["items"]}
    assert heads == {TEACHING.name: SHEN_ZHIXING.name, LOGISTICS.name: TANG_YINAN.name, PERSONNEL.name: None, OFFICE.name: None}
    assert sum(one["people_count"] for one in found["items"]) == len(PEOPLE)
    assert (await personnel.get("/departments")).status_code == 401


async def test_a_department_is_added_and_named_once(personnel: Door) -> None:
    answer = await personnel.post("/departments", {"name": "保卫处", "parent_id": str(OFFICE.id)}, HEALTH)
    again = await personnel.post("/departments", {"name": "保卫处"}, HEALTH)
    below = await personnel.post("/departments", {"name": "x", "parent_id": str(id_of("none"))}, HEALTH)

    assert (answer.status_code, answer.json()["people_count"]) == (201, 0)
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert [(one["field"], one["code"]) for one in below.json()["errors"]] == [("parent_id", "unknown_id")]
    assert len(await personnel.told(DepartmentsChanged)) == 1


async def test_departments_make_no_circle_also_when_two_move_at_once(personnel: Door) -> None:
    one = {"parent_id": str(LOGISTICS.id), "version": 1}
    other = {"parent_id": str(TEACHING.id), "version": 1}

    answers = await asyncio.gather(
        personnel.patch(f"/departments/{TEACHING.id}", one, HEALTH), personnel.patch(f"/departments/{LOGISTICS.id}", other, HEALTH)
    )

    assert sorted(answer.status_code for answer in answers) == [200, 422]
    assert [e["code"] for answer in answers for e in answer.json().get("errors", [])] == ["below_itself"]
    itself = await personnel.patch(f"/departments/{OFFICE.id}", {"parent_id": str(OFFICE.id), "version": 1}, HEALTH)
    assert itself.status_code == 422


async def test_a_department_edited_twice_says_what_changed(personnel: Door) -> None:
    path = f"/departments/{OFFICE.id}"
    await personnel.patch(path, {"head_id": str(ZHONG_YIFAN.id), "version": 1}, HEALTH)

    answer = await personnel.patch(path, {"reporter_id": str(FANG_JIBAI.id), "version": 1}, HEALTH)

    assert (answer.status_code, answer.json()["params"]["current"]["head"]["name"]) == (409, ZHONG_YIFAN.name)


async def test_nobody_makes_themselves_head_of_anything(personnel: Door) -> None:
    for field in ("head_id", "reporter_id", "deputy_id"):
        wish = {field: str(ADMINISTRATOR.person_id), "version": 1}
        assert (await personnel.patch(f"/departments/{TEACHING.id}", wish, ADMINISTRATOR)).json()["code"] == "own_roles"
    theirs = caller(ZHONG_YIFAN, "administrator", "head", departments=(OFFICE,))
    moved = await personnel.patch(f"/departments/{TEACHING.id}", {"parent_id": str(OFFICE.id), "version": 1}, theirs)
    assert (moved.status_code, moved.json()["code"]) == (409, "own_roles")
    assert (await personnel.patch(f"/departments/{TEACHING.id}", {"head_id": None, "version": 1}, ADMINISTRATOR)).status_code == 200


async def test_no_department_comes_below_ones_own_by_way_of_one_that_was_just_added(personnel: Door) -> None:
    await personnel.patch(f"/departments/{OFFICE.id}", {"head_id": str(ZHONG_YIFAN.id), "version": 1}, HEALTH)
    theirs = caller(ZHONG_YIFAN, "administrator", "head", departments=(OFFICE,))
    fresh = (await personnel.post("/departments", {"name": "保卫处", "parent_id": str(OFFICE.id)}, theirs)).json()["id"]

    moved = await personnel.patch(f"/departments/{TEACHING.id}", {"parent_id": fresh, "version": 1}, theirs)
    by_another = await personnel.patch(f"/departments/{TEACHING.id}", {"parent_id": fresh, "version": 1}, HEALTH)

    assert (moved.status_code, moved.json()["code"]) == (409, "own_roles")
    assert by_another.status_code == 200


async def test_who_is_not_here_answers_for_nothing(personnel: Door) -> None:
    await personnel.patch(f"/people/{JIANG_CAIWEI.id}", {"left_on": "2021-08-01", "version": 1}, HEALTH)

    for person_id in (id_of("none"), JIANG_CAIWEI.id):
        answer = await personnel.patch(f"/departments/{OFFICE.id}", {"head_id": str(person_id), "version": 1}, HEALTH)
        assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [("head_id", "unknown_id")]


@pytest.mark.parametrize("who", [STAFF, HEAD, REPORTER, LEADER, RECORDS_SYSTEM])
async def test_others_change_no_department(personnel: Door, who: Caller) -> None:
    assert (await personnel.post("/departments", {"name": "x"}, who)).status_code == 403
    assert (await personnel.patch(f"/departments/{DEPARTMENTS[0].id}", {"name": "x", "version": 1}, who)).status_code == 403
