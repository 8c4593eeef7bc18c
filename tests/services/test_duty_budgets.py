"""The number of statements of a request to duty does not grow with posts, people or gaps, and stays within its budget."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.duty.tables import KnownPerson
from shared.auth import Caller
from shared.clock import now
from shared.events import PeopleChanged
from tests.doors import Door
from tests.people import LEADER, LIANG_YUAN, STAFF, TEACHING
from tests.services.budgets import allowed
from tests.services.duties import PLANNER, people
from tests.services.let_in import state_of

Taken = dict[str, int]


async def more_people(duty: Door, count: int) -> list[UUID]:
    """So many people more are known."""
    ids = [uuid4() for _ in range(count)]
    known = {"name": "王小明", "sort_key": "wang", "department_id": TEACHING.id, "employment": "permanent", "version": 1, "heard_at": now()}
    async with duty.rows() as tx:
        tx.add_all(KnownPerson(id=one, number=str(one), **known) for one in ids)
    return ids


async def everything(duty: Door, monday: date, size: int) -> Taken:
    """Each request once, in a week of so many posts with people of their own: route -> statements."""
    taken: Taken = {}

    async def ask(method: str, route: str, body: Any = None, who: Caller = PLANNER, **ids: object) -> Any:
        answer = await duty.request(method, route.format(monday=monday, **ids), who, **({"json": body} if body is not None else {}))
        assert answer.status_code < 300, f"{method} {route}: {answer.text}"
        taken[f"{method} {route.partition('?')[0]}"] = len(duty.statements)
        return answer.json() if answer.content and answer.headers["content-type"] == "application/json" else None

    days = [monday + timedelta(days=number) for number in range(7)]
    ids = [str(one) for one in await more_people(duty, 3 * size)]
    pool = {"pool_departments": [str(TEACHING.id)], "pool_people": ids[:2]}
    shape = {"starts_at_time": "08:00", "hours": 4, **pool}
    kept = [await ask("POST", "/posts", {"name": f"{monday} {number}", **shape}) for number in range(size)]
    await ask("PATCH", "/posts/{post}", {"gives_rights": True, **pool, "version": 1}, LEADER, post=kept[0]["id"])
    slots = [{"post_id": one["id"], "on": str(on), "place": 1, "person_id": ids[number]} for number, one in enumerate(kept) for on in days]
    await ask("PUT", "/rosters/{monday}/slots", {"version": 0, "slots": slots})
    moved = [{**one, "person_id": ids[size]} if one["on"] == str(days[0]) and one["person_id"] == ids[0] else one for one in slots]
    await ask("PUT", "/rosters/{monday}/slots", {"version": 1, "slots": moved})
    await ask("POST", "/rosters/{monday}/check", {"slots": slots})
    await ask("GET", "/people?post_id={post}&on={on}&q=wang", post=kept[0]["id"], on=days[1])
    published = await ask("POST", "/rosters/{monday}/publication", {"version": 2})
    amended = [{**one, "person_id": ids[size + number]} for number, one in enumerate(one for one in slots if one["on"] == str(days[1]))]
    answer = await duty.put(f"/rosters/{monday}/slots", {"version": 3, "reason": "x", "slots": amended}, PLANNER)
    assert answer.status_code == 200, answer.text
    taken["PUT /rosters/{monday}/slots (published)"] = len(duty.statements)
    left = [state_of(LIANG_YUAN, id=one, number=str(one), left_on=days[3], version=2) for one in ids[1:size]]
    await duty.hears(PeopleChanged(people=left))
    await ask("GET", "/rosters/{monday}")
    await ask("GET", "/rosters/{monday}", who=STAFF)
    await ask("GET", "/duties?from={on}", on=monday)
    await ask("GET", "/duties/mine")
    await ask("GET", "/now")
    gaps = await ask("GET", "/gaps")
    await ask("POST", "/gaps/{gap}/filling", {"person_id": ids[-1]}, gap=gaps["items"][0]["id"])
    feed = await ask("POST", "/feeds", who=STAFF)
    await ask("GET", "/feeds/mine", who=STAFF)
    await ask("GET", feed["path"])
    taken["GET /feeds/{secret}/duties.ics"] = taken.pop(f"GET {feed['path']}")
    await ask("DELETE", "/feeds/{feed}", who=STAFF, feed=feed["id"])
    for one in kept:
        await duty.patch(f"/posts/{one['id']}", {"retired": True, "version": 2 if one is kept[0] else 1}, PLANNER)
    assert published["gap_count"] == 0
    return taken


async def test_no_request_takes_more_statements_for_more_posts_people_and_gaps(duty: Door) -> None:
    await people(duty)
    few = await everything(duty, date(2021, 8, 9), 2)
    many = await everything(duty, date(2021, 8, 16), 9)
    copied = await duty.post("/rosters/2021-08-23/copy", {"from_monday": "2021-08-16"}, PLANNER)

    assert copied.status_code == 409, "its posts are retired"
    assert {route: (count, many[route]) for route, count in few.items() if many[route] > count} == {}
    assert {route: count for route, count in few.items() if count > allowed(route)} == {}
