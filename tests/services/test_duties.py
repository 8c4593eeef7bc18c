"""Who is on duty now, one's own duties, everybody's; and who may be asked for a place while the planner types."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared import clock
from shared.bookings import Span, book, hold_time_of
from shared.events import PeopleChanged
from tests.doors import Door, errors_of
from tests.people import AGENCY_WORKER, FANG_JIBAI, GU_CHANGTING, JIANG_CAIWEI, LIANG_YUAN, PEOPLE, STAFF, TEACHING, client
from tests.services.duties import GATE, MONDAY, PLANNER, day, duty_of, fill, in_turn, people, post, publish, published, wish
from tests.services.let_in import state_of

EIGHT = datetime(2021, 8, 9, 0, tzinfo=UTC)  # 08:00 on the Monday, in Shanghai


async def test_on_duty_now_is_whoever_the_published_roster_says_to_the_minute(duty: Door) -> None:
    await people(duty)
    await published(duty)
    seen = []
    for moment in (EIGHT - timedelta(minutes=1), EIGHT, EIGHT + timedelta(hours=24)):
        clock.set_now(moment)
        answer = await duty.get("/now", AGENCY_WORKER)
        seen.append([(one["post"]["name"], one["person"]["name"], one["gives_rights"]) for one in answer.json()["items"]])

    assert seen == [[], [("值班员", LIANG_YUAN.name, True)], [("值班员", JIANG_CAIWEI.name, True)]]


async def test_on_duty_now_stands_in_the_order_of_the_posts(duty: Door) -> None:
    await people(duty)
    kept, gate = await post(duty), await post(duty, **GATE)
    pairs = ((GU_CHANGTING, PEOPLE[0]), (PEOPLE[1], PEOPLE[2]))
    at_gate = [wish(gate["id"], day(n), pairs[n % 2][place - 1], place) for n in range(7) for place in (1, 2)]
    await fill(duty, [*in_turn(kept["id"]), *at_gate])
    assert (await publish(duty)).status_code == 200
    clock.set_now(EIGHT + timedelta(hours=1))

    answer = await duty.get("/now", STAFF)

    assert [(one["post"]["name"], one["place"]) for one in answer.json()["items"]] == [("值班员", 1), ("门岗", 1), ("门岗", 2)]


async def test_a_draft_is_nobodys_duty_yet(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)
    await fill(duty, in_turn(kept["id"]))
    clock.set_now(EIGHT + timedelta(hours=1))

    for path in ("/now", "/duties/mine", "/duties"):
        for who in (STAFF, PLANNER):
            assert (await duty.get(path, who)).json()["items"] == []


async def test_ones_own_duties_are_ones_own(duty: Door) -> None:
    await people(duty)
    roster = await published(duty)

    mine = (await duty.get("/duties/mine", STAFF)).json()["items"]
    everybody = (await duty.get(f"/duties?from={day(1)}&until={day(2)}", STAFF)).json()["items"]
    of_one = (await duty.get(f"/duties?person_id={FANG_JIBAI.id}", STAFF)).json()["items"]

    assert [one["on"] for one in mine] == [day(0), day(3), day(6)]
    assert mine[0]["id"] == str(duty_of(roster, 0))
    assert [one["on"] for one in everybody] == [day(0), day(1), day(2)]  # the first ends on the day that is asked for
    assert {one["person"]["name"] for one in of_one} == {FANG_JIBAI.name}
    assert (await duty.get("/duties/mine", client("reader", "duty:read"))).json()["items"] == []


async def test_days_that_make_no_sense_are_a_wrong_form(duty: Door) -> None:
    for query, code in (
        ("from=2021-08-05&until=2021-08-04", "ends_before_it_begins"),
        ("from=2021-08-05&until=2022-08-04", "too_far_ahead"),
    ):
        answer = await duty.get(f"/duties?{query}", STAFF)
        assert [one[:2] for one in errors_of(answer)] == [("until", code)]


async def test_whoever_may_hold_a_place_is_ranked_and_says_what_forbids(duty: Door, dispatch: Door) -> None:
    await people(duty)
    kept = await post(duty, pool_departments=[str(TEACHING.id)], pool_people=[str(GU_CHANGTING.id)])
    worked = Span(uuid4(), JIANG_CAIWEI.id, EIGHT - timedelta(days=5), EIGHT - timedelta(days=5) + timedelta(hours=6), "assignment")
    elsewhere = Span(uuid4(), FANG_JIBAI.id, EIGHT + timedelta(hours=26), EIGHT + timedelta(hours=28), "assignment")
    async with dispatch.rows() as tx:
        await hold_time_of(tx, JIANG_CAIWEI.id, FANG_JIBAI.id)
        await book(tx, worked, elsewhere)
    left = state_of(LIANG_YUAN, left_on=MONDAY, version=2)
    await duty.hears(PeopleChanged(people=[left]))

    answer = await duty.get(f"/people?post_id={kept['id']}&on={day(0)}", PLANNER)

    items = answer.json()["items"]
    names = [one["person"]["name"] for one in items]
    assert LIANG_YUAN.name not in names
    assert set(names[:2]) == {GU_CHANGTING.name, "沈知行"}
    assert names[2:] == [JIANG_CAIWEI.name, FANG_JIBAI.name]
    assert [one["free"] for one in items] == [True, True, True, False]
    assert items[2]["hours_28_days"] == 6.0
    assert [reason["code"] for reason in items[3]["reasons"]] == ["too_little_rest"]
    assert items[0]["person"]["number"]
    assert items[0]["person"]["department"]


async def test_typed_letters_find_by_name_and_number(duty: Door) -> None:
    await people(duty)
    kept = await post(duty)

    async def found(q: str) -> list[str]:
        answer = await duty.get("/people", PLANNER, params={"post_id": kept["id"], "on": day(0), "q": q})
        assert answer.status_code == 200, answer.text
        return [one["person"]["name"] for one in answer.json()["items"]]

    assert await found("梁予") == [LIANG_YUAN.name]
    assert await found(GU_CHANGTING.number) == [GU_CHANGTING.name]
    assert await found("%") == []
    unknown = await duty.get("/people", PLANNER, params={"post_id": str(uuid4()), "on": day(0)})
    assert unknown.status_code == 404
