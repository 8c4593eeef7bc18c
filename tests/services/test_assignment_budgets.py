"""The number of statements of what puts people on shifts and sees them come does not grow with people, and keeps to its budget."""

from typing import Any

from shared.auth import Caller
from shared.clock import set_now
from tests.doors import Door
from tests.people import COORDINATOR, STAFF
from tests.services.budgets import allowed
from tests.services.deployment import knows_everybody, planned, shifts_of
from tests.services.test_operation_budgets import people


async def everything(dispatch: Door, size: int) -> dict[str, int]:
    """Each request once, with so many people and sites: route -> statements."""
    taken: dict[str, int] = {}

    async def ask(method: str, route: str, body: Any = None, who: Caller = COORDINATOR, **ids: object) -> Any:
        answer = await dispatch.request(method, route.format(**ids), who, **({"json": body} if body is not None else {}))
        assert answer.status_code < 300, f"{method} {route}: {answer.text}"
        taken[f"{method} {route.partition('?')[0]}"] = len(dispatch.statements)
        return answer.json()

    names = [str(one) for one in await people(dispatch, size * 3)]
    first_on = f"2021-08-{5 + size:02}"  # a day of its own for each size
    pattern = {"times": [["08:00", "12:00"]], "roles": [{"name": "登记", "head_count": 50}], "signup": True}
    sites = [{"name": f"第{n}点"} for n in range(size)]
    operation = await planned(dispatch, pattern=pattern, from_on=first_on, until_on=first_on, sites=sites)
    shift, *_ = await shifts_of(dispatch, operation)
    role = {"shift_id": str(shift.id), "role": "登记"}
    done = (await ask("POST", "/assignments", role | {"person_ids": names[: size * 2]}))["done"]
    ids = [one["id"] for one in done]
    signed = await ask("POST", "/shifts/{shift}/signup", {"role": "登记"}, STAFF, shift=shift.id)
    await ask("GET", "/assignments/mine", who=STAFF)
    await ask("POST", "/assignments/{assignment}/answer", {"answer": "decline", "reason": "x"}, STAFF, assignment=signed["id"])
    await ask("POST", "/assignments/{assignment}/release", {"reason": "x"}, assignment=ids[0])
    await ask("POST", "/assignments/freeing", {"refs": ids[1:size], "because": "duty"} if size > 1 else {"refs": ids[1:2]})
    await ask("GET", "/alerts")
    await ask("POST", "/alerts/{assignment}/filling", {"person_id": names[-1]}, assignment=ids[0])
    await ask("GET", "/shifts/{shift}/candidates", shift=shift.id)
    await ask("GET", "/shifts/open/mine", who=STAFF)
    team = (await dispatch.post("/teams", {"name": f"第{size}队", "member_ids": names}, COORDINATOR)).json()
    await ask("POST", "/assignments/filling", {"operation_id": operation["id"], "on": first_on, "team_id": team["id"], "preview": False})
    set_now(shift.starts_at)
    again = (await ask("GET", "/shifts/{shift}", shift=shift.id))["assignments"]
    coming = [one["id"] for one in again if one["state"] == "proposed"]
    await ask("POST", "/assignments/{assignment}/checkin", {}, assignment=coming[0])
    await ask("POST", "/assignments/{assignment}/checkout", {}, assignment=coming[0])
    times = {"checked_in_at": shift.starts_at.isoformat(), "checked_out_at": None, "reason": "x"}
    await ask("POST", "/assignments/{assignment}/correction", times, assignment=coming[0])
    await ask("GET", "/shifts/{shift}/corrections", shift=shift.id)
    await ask("POST", "/assignments/{assignment}/noshow", {}, assignment=coming[1])
    [walks] = await people(dispatch, 1)
    await ask("POST", "/shifts/{shift}/walkons", {"person_id": str(walks), "role": "登记"}, shift=shift.id)
    del taken["GET /shifts/{shift}"]
    return taken


async def test_no_request_takes_more_statements_for_more_people(dispatch: Door) -> None:
    await knows_everybody(dispatch)
    small, large = await everything(dispatch, 2), await everything(dispatch, 8)

    over = {route: count for route, count in large.items() if count > allowed(route)}
    assert {route: count for route, count in large.items() if count > small[route]} == {}
    assert over == {}
