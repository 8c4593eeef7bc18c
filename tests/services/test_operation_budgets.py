"""The number of statements of what plans, moves and shows shifts does not grow with sites, days or people, and stays within its budget."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.dispatch.tables import KnownPerson, Shift
from shared.auth import Caller
from shared.bookings import Span, book, hold_time_of
from shared.clock import now
from tests.doors import Door
from tests.people import COORDINATOR, STAFF, TANG_YINAN, TEACHING
from tests.services.budgets import allowed
from tests.services.deployment import PATTERN, assigned, knows_everybody, planned, shifts_of

Taken = dict[str, int]


async def people(dispatch: Door, count: int) -> list[UUID]:
    """So many people more are known."""
    ids = [uuid4() for _ in range(count)]
    async with dispatch.rows() as tx:
        tx.add_all(
            KnownPerson(
                id=one,
                number=str(one),
                name="王小明",
                sort_key="wang",
                department_id=TEACHING.id,
                employment="permanent",
                version=1,
                heard_at=now(),
            )
            for one in ids
        )
    return ids


async def everything(dispatch: Door, duty: Door, size: int) -> Taken:
    """Each request once, in a deployment of this size: route -> statements."""
    taken: Taken = {}

    async def ask(method: str, route: str, body: Any = None, who: Caller = COORDINATOR, **ids: object) -> Any:
        answer = await dispatch.request(method, route.format(**ids), who, **({"json": body} if body is not None else {}))
        assert answer.status_code < 300, f"{method} {route}: {answer.text}"
        taken[f"{method} {route.partition('?')[0]}"] = len(dispatch.statements)
        return answer.json()

    ids = await people(dispatch, size)
    names = [str(one) for one in ids]
    team = await ask("POST", "/teams", {"name": f"第{size}队", "leader_id": names[0], "member_ids": names})
    await ask("PATCH", "/teams/{team}", {"member_ids": names[1:], "deputy_id": names[0], "version": 1}, team=team["id"])
    await ask("GET", "/teams/{team}", team=team["id"])
    await ask("GET", "/teams")
    await ask("GET", "/teams", who=STAFF)
    sites = [{"name": f"第{n}点", "leader_id": names[0]} for n in range(size)]
    pattern = PATTERN | {"roles": [{"name": "登记", "head_count": 50}]}
    operation = await planned(dispatch, opened=False, sites=sites, pattern=None, requirement=None)
    path = {"operation": operation["id"]}
    await ask("POST", "/operations/{operation}/sites", {"name": "北门", "leader_id": names[0]}, **path)
    await ask("POST", "/operations/{operation}/shifts", pattern | {"days": ["2021-08-04", "2021-08-05"]}, **path)
    await ask("POST", "/operations/{operation}/opening", **path)
    first, *_ = [one for one in await shifts_of(dispatch, operation) if one.starts_at > datetime(2021, 8, 4, 16, tzinfo=UTC)]
    half = max(size // 2, 1)
    async with dispatch.rows() as tx:
        await hold_time_of(tx, *ids)
        rows = [assigned(first, one) for one in ids]
        tx.add_all(rows)
        await book(tx, *(Span(row.id, row.person_id, row.starts_at, row.ends_at, "assignment") for row in rows))
    async with duty.rows() as tx:
        await hold_time_of(tx, *ids)
        elsewhere = [Span(uuid4(), one, first.ends_at, first.ends_at + timedelta(hours=1), "duty") for one in ids[:half]]
        await book(tx, *elsewhere)
    await ask("POST", "/operations/{operation}/days/copy", {"from_on": "2021-08-05", "to_on": "2021-08-06", "with_people": True}, **path)
    await ask("PATCH", "/operations/{operation}", {"name": "全员核酸", "until_on": "2021-08-07", "version": 2}, **path)
    await ask("GET", "/operations/{operation}", who=STAFF, **path)
    await ask("GET", "/operations?page_size=200", who=STAFF)
    site = operation["sites"][0]["id"]
    await ask("PUT", "/sites/{site}/counts", {"on": "2021-08-04", "hour": 6, "samples": 10}, site=site)
    await ask("PUT", "/sites/{site}/counts", {"on": "2021-08-04", "hour": 6, "samples": 20}, site=site)
    await ask("GET", "/sites/{site}/counts", site=site)
    await ask("GET", "/sites/{site}/code", site=site)
    await ask("POST", "/sites/{site}/code", site=site)
    await ask("PATCH", "/sites/{site}", {"leader_id": str(TANG_YINAN.id), "version": 1}, site=site)
    await ask("GET", "/shifts/{shift}", shift=first.id)
    await ask("GET", "/operations/{operation}/board?days=7", **path)
    shift = await _read(dispatch, first.id)
    later = {"starts_at": (first.starts_at + timedelta(hours=2)).isoformat(), "ends_at": (first.ends_at + timedelta(hours=2)).isoformat()}
    roles = [{"name": "登记", "head_count": 49}, {"name": "扫码", "head_count": 1}]
    found = await ask("PATCH", "/shifts/{shift}", later | {"roles": roles, "version": shift.version}, shift=first.id)
    assert {one["state"] for one in found["assignments"]} == {"proposed", "released"}
    await ask("POST", "/shifts/{shift}/cancellation", {"reason": "雷雨"}, shift=first.id)
    await ask("POST", "/operations/{operation}/closing", {"reason": "任务提前完成"}, **path)
    return taken


async def _read(dispatch: Door, shift_id: UUID) -> Shift:
    async with dispatch.rows() as tx:
        return await tx.get_one(Shift, shift_id)


async def test_no_request_takes_more_statements_for_more_sites_shifts_or_people(dispatch: Door, duty: Door) -> None:
    await knows_everybody(dispatch)
    few = await everything(dispatch, duty, 2)
    many = await everything(dispatch, duty, 15)

    grown = {route: (few[route], many[route]) for route in few if many[route] > few[route]}
    assert grown == {}
    over = {route: count for route, count in few.items() if count > allowed(route)}
    assert over == {}, "less, or a line with its reason in budgets.py"
