"""Posts: kept, changed and retired by those who plan, read by everybody."""

from datetime import date
from uuid import uuid4

from shared.events import PeopleChanged
from tests.doors import Door, errors_of
from tests.people import GU_CHANGTING, LEADER, LIANG_YUAN, STAFF, TEACHING, client
from tests.services.duties import GATE, PLANNER, people, post
from tests.services.let_in import state_of


async def test_posts_stand_in_the_order_of_the_list_and_a_retired_one_is_gone(duty: Door) -> None:
    await people(duty)
    gate = await post(duty, **GATE)
    officer = await post(duty)

    retired = await duty.patch(f"/posts/{gate['id']}", {"retired": True, "version": 1}, PLANNER)
    shown = await duty.get("/posts", STAFF)
    everything = await duty.get("/posts?retired=true", STAFF)

    assert retired.json() == gate | {"retired": True, "version": 2}
    assert shown.json()["items"] == [officer]
    assert [one["name"] for one in everything.json()["items"]] == ["值班员", "门岗"]


async def test_a_name_is_free_again_once_its_post_is_retired(duty: Door) -> None:
    await people(duty)
    first = await post(duty)
    again = await duty.post("/posts", {**GATE, "name": "值班员"}, PLANNER)
    await duty.patch(f"/posts/{first['id']}", {"retired": True, "version": 1}, PLANNER)

    assert (again.status_code, again.json()["code"]) == (409, "name_taken")
    assert (await duty.post("/posts", {**GATE, "name": "值班员"}, PLANNER)).status_code == 201


async def test_what_cannot_be_a_post_is_refused_field_by_field(duty: Door) -> None:
    await people(duty)
    wrong = {
        "starts_at_time": "24:00",
        "hours": 25,
        "head_count": 0,
        "pool_people": [str(LIANG_YUAN.id)] * 501,
    }
    for name, value in wrong.items():
        answer = await duty.post("/posts", {**GATE, name: value}, PLANNER)
        assert answer.status_code == 422
        assert [field for field, *_ in errors_of(answer)] == [name]
    for name in ("pool_people", "pool_departments"):
        answer = await duty.post("/posts", {**GATE, name: [str(uuid4())]}, PLANNER)
        assert errors_of(answer) == [(name, "unknown_id", {})]
    more = await duty.post("/posts", {**GATE, "counted_hours": 5}, PLANNER)
    assert errors_of(more) == [("counted_hours", "too_big", {"max": 4.0})]


async def test_two_planners_do_not_overwrite_each_other(duty: Door) -> None:
    await people(duty)
    kept = await post(duty, pool_departments=[str(TEACHING.id)])

    first = await duty.patch(f"/posts/{kept['id']}", {"head_count": 2, "version": 1}, PLANNER)
    second = await duty.patch(f"/posts/{kept['id']}", {"head_count": 3, "version": 1}, PLANNER)
    emptied = await duty.patch(f"/posts/{kept['id']}", {"rest_hours": None, "version": 2}, PLANNER)
    nameless = await duty.patch(f"/posts/{kept['id']}", {"name": None, "version": 3}, PLANNER)

    assert first.json()["head_count"] == 2
    assert (second.json()["code"], second.json()["params"]["current"]["head_count"]) == ("changed_meanwhile", 2)
    assert emptied.json()["rest_hours"] is None
    assert errors_of(nameless) == [("name", "required", {})]


async def test_whoever_keeps_posts_finds_people_for_a_pool_by_name_or_number(duty: Door) -> None:
    await people(duty)
    await duty.hears(PeopleChanged(people=[state_of(GU_CHANGTING, left_on=date(2021, 8, 1), version=2)]))

    by_name = await duty.get("/people/named?q=梁予", PLANNER)
    by_number = await duty.get(f"/people/named?q={LIANG_YUAN.number}", PLANNER)
    gone = await duty.get("/people/named?q=顾长", PLANNER)
    by_id = await duty.get(f"/people/named?ids={GU_CHANGTING.id}&ids={LIANG_YUAN.id}", PLANNER)

    assert [one["name"] for one in by_name.json()["items"]] == [one["name"] for one in by_number.json()["items"]] == [LIANG_YUAN.name]
    assert gone.json()["items"] == []
    assert {one["number"] for one in by_id.json()["items"]} == {GU_CHANGTING.number, LIANG_YUAN.number}
    assert (await duty.get("/people/named?q=梁予", STAFF)).status_code == 403


async def test_only_a_leader_entrusts_a_post_with_rights(duty: Door) -> None:
    """Else whoever plans makes a post for themselves, and is the duty officer when they like."""
    await people(duty)
    gate = await post(duty, **GATE)
    named = {"gives_rights": True, "pool_people": [str(LIANG_YUAN.id)]}

    for who in (PLANNER, client("planning", "duty:write")):
        added = await duty.post("/posts", {**GATE, "name": "夜间总值班", "gives_rights": True}, who)
        raised = await duty.patch(f"/posts/{gate['id']}", {"gives_rights": True, "version": 1}, who)
        assert [(one.status_code, one.json()["code"]) for one in (added, raised)] == [(403, "leader_decides")] * 2
    assert (await duty.patch(f"/posts/{gate['id']}", {**named, "version": 1}, LEADER)).status_code == 200

    changes: list[dict[str, object]] = [
        {"pool_people": [str(GU_CHANGTING.id)]},
        {"pool_people": []},
        {"pool_departments": [str(TEACHING.id)]},
        {"gives_rights": False},
    ]
    for change in changes:
        answer = await duty.patch(f"/posts/{gate['id']}", {**change, "version": 2}, PLANNER)
        assert (answer.status_code, answer.json()["code"]) == (403, "leader_decides")
    same = await duty.patch(f"/posts/{gate['id']}", {**named, "head_count": 3, "version": 2}, PLANNER)
    assert (same.status_code, same.json()["head_count"]) == (200, 3)
