"""What the coordinator, the leaders of the points and the volunteers do: teams, an operation, answers, attendance and samples."""

import threading
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from infra.reference import cast, week
from infra.reference import deployment as plan
from infra.reference.door import Door, Json, until
from infra.stage.players import NOT_HEARD_YET, Do, Players, one_by_one, together


class Deployment:
    """The teams, the testing at six points, and who was there."""

    def __init__(self, players: Players) -> None:
        self._players = players
        self._operation: Json = None
        self._shifts: dict[plan.Shift, str] = {}
        self._people: dict[plan.Shift, list[Json]] = {}
        self._reading = threading.Lock()

    def form_teams(self) -> None:
        """The coordinator forms the teams, plans the testing at six points, opens it and fills it from the teams."""
        coordinator = self._players.as_(cast.COORDINATOR)
        made = {}
        for team in plan.teams():
            body = {
                "name": team.name,
                "leader_id": self._players.ids[team.leader],
                "deputy_id": self._players.ids[team.deputy],
                "requirement": team.requirement,
                "member_ids": [self._players.ids[name] for name in team.members],
            }
            made[team.name] = coordinator.post("/dispatch/teams", body, once=f"team {team.name}", patient=NOT_HEARD_YET)["id"]
        operation = coordinator.post("/dispatch/operations", self._operation_body(), once="operation")
        if operation["state"] == "planned":
            coordinator.post(f"/dispatch/operations/{operation['id']}/opening", {}, once="opening")
        self._read_operation()
        self._fill_shifts(coordinator, made)

    def _operation_body(self) -> Json:
        leaders = plan.site_leaders()
        return {
            "name": plan.OPERATION,
            "kind": "testing",
            "place": plan.PLACE,
            "partner": plan.PARTNER,
            "from_on": plan.DAYS[0].isoformat(),
            "until_on": plan.DAYS[-1].isoformat(),
            "requirement": plan.REQUIREMENT,
            "bring": plan.BRING,
            "note": plan.NOTE,
            "sites": [
                {"name": name, "address": address, "leader_id": self._players.ids[leader]}
                for (name, address), leader in zip(plan.SITES, leaders, strict=True)
            ],
            "pattern": {
                "times": [list(one) for one in plan.TIMES],
                "roles": [{"name": name, "head_count": count} for name, count in plan.ROLES],
                "signup": True,
            },
        }

    def _fill_shifts(self, coordinator: Door, teams: dict[str, str]) -> None:
        """Each day: mornings and afternoons from the work team, evenings from the shock team and what is left from the work team."""
        first = {"shift_ids": self._ids_of(plan.DAYS[0], (0,)), "team_id": teams[plan.WORK_TEAM], "preview": True}
        until(
            lambda: not coordinator.post("/dispatch/assignments/filling", first, once=f"look {time.time_ns()}")["missing_count"],
            "who is fit",
        )
        for on in plan.DAYS:
            for turns, team in (((2,), plan.SHOCK_TEAM), ((0, 1, 2), plan.WORK_TEAM)):
                body = {"shift_ids": self._ids_of(on, turns), "team_id": teams[team], "preview": False}
                coordinator.post("/dispatch/assignments/filling", body, once=f"filling {on} {team}")

    def _ids_of(self, on: date, turns: tuple[int, ...]) -> list[str]:
        return [self._shifts[plan.Shift(on, turn, site)] for turn in turns for site in range(len(plan.SITES))]

    def _read_operation(self) -> None:
        """Which shift is which."""
        coordinator = self._players.as_(cast.COORDINATOR)
        found = coordinator.get("/dispatch/operations", page_size=100)["items"]
        self._operation = coordinator.get(f"/dispatch/operations/{next(one['id'] for one in found if one['name'] == plan.OPERATION)}")
        sites = {name: place for place, (name, _) in enumerate(plan.SITES)}
        for on in plan.DAYS:
            for site in coordinator.get(f"/dispatch/operations/{self._operation['id']}/days/{on}")["sites"]:
                for one in site["shifts"]:
                    begins = datetime.fromisoformat(one["starts_at"]).astimezone(plan.ZONE)
                    turn = [begin for begin, _ in plan.TIMES].index(f"{begins:%H:%M}")
                    self._shifts[plan.Shift(on, turn, sites[site["name"]])] = one["id"]

    def _read_people(self) -> None:
        """Who was asked for each shift, in an order that stays: by when they were asked, then by name."""
        coordinator = self._players.as_(cast.COORDINATOR)
        found: dict[plan.Shift, list[Json]] = {}

        def read(shift: plan.Shift) -> None:
            asked = coordinator.get(f"/dispatch/shifts/{self._shifts[shift]}")["assignments"]
            found[shift] = sorted(asked, key=lambda one: (one["asked_at"], one["person"]["name"]))

        together([partial(read, shift) for shift in self._shifts])
        self._people = found

    def _asked(self, shift: plan.Shift) -> list[tuple[int, Json]]:
        with self._reading:
            if self._operation is None:
                self._read_operation()
            if not self._people:
                self._read_people()
        return list(enumerate(self._people[shift]))

    def answer(self, on: date, *, the_rest: bool = False) -> None:
        """Whoever was asked says that they come, or why they cannot; some have not answered until the day."""
        said: dict[str, list[Do]] = {}
        for shift in shifts_of(on):
            for place, one in self._asked(shift):
                if ((shift, place) in plan.UNANSWERED) == the_rest:
                    answer = partial(self._say, one, plan.CANNOT_COME.get((shift, place)))
                    said.setdefault(one["person"]["name"], []).append(answer)
        together([partial(one_by_one, things) for things in said.values()])

    def _say(self, one: Json, reason: str | None) -> None:
        body = {"answer": "decline", "reason": reason} if reason else {"answer": "received"}
        self._players.as_(one["person"]["name"]).post(f"/dispatch/assignments/{one['id']}/answer", body, once=f"answer {one['id']}")

    def replace(self, shift: plan.Shift) -> None:
        """The coordinator asks the best-ranked instead of one who cannot come, who says at once that they come."""
        coordinator = self._players.as_(cast.COORDINATOR)
        asked = self._asked(shift)
        if len(asked) > sum(count for _, count in plan.ROLES):  # a load that was interrupted had come as far
            return
        gone = next(one for place, one in asked if (shift, place) in plan.CANNOT_COME)
        path = f"/dispatch/shifts/{self._shifts[shift]}/candidates"
        found = coordinator.get(path, role=gone["role"])["items"]
        taken = {gone["person"]["name"], *plan.teams()[2].members, *week.on_duty()}
        best = next(one["person"] for one in found if one["fit"] and one["person"]["name"] not in taken)
        body = {"shift_id": self._shifts[shift], "role": gone["role"], "person_ids": [best["id"]]}
        for placed in (coordinator.post("/dispatch/assignments", body, once=f"instead of {gone['id']}") or {"done": []})["done"]:
            self._say(placed, None)
            self._people[shift].append(placed)

    def check_in(self, on: date, turn: int, *, the_rest: bool = False) -> None:
        """The leaders of the points check in who is there in time; a quarter of an hour later who came late, and who did not come."""
        things: list[Do] = []
        for shift in shifts_of(on, turn):
            for place, one in self._asked(shift):
                key = (shift, place)
                special = key in plan.LATE or key in plan.MISSING
                if key not in plan.CANNOT_COME and key not in plan.NOT_SEEN_YET and special == the_rest:
                    things.append(partial(self._arrive, shift, place, one))
        together(things)

    def _arrive(self, shift: plan.Shift, place: int, one: Json) -> None:
        leader = self._players.as_(plan.site_leaders()[shift.site])
        if reason := plan.MISSING.get((shift, place)):
            door = self._players.as_(cast.COORDINATOR) if one["person"]["name"] == plan.site_leaders()[shift.site] else leader
            door.post(f"/dispatch/assignments/{one['id']}/noshow", {"reason": reason}, once=f"missing {one['id']}")
            return
        early = -(5 + (7 * place + 3 * shift.site) % 12)
        at = shift.starts_at + timedelta(minutes=plan.LATE.get((shift, place), early))
        leader.post(f"/dispatch/assignments/{one['id']}/checkin", {"at": at.isoformat()}, once=f"in {one['id']}")

    def check_out(self, on: date, turn: int) -> None:
        """The leaders of the points check out whoever was there."""
        things: list[Do] = []
        for shift in shifts_of(on, turn):
            for place, one in self._asked(shift):
                key = (shift, place)
                if key not in plan.CANNOT_COME and key not in plan.NOT_SEEN_YET and key not in plan.MISSING:
                    things.append(partial(self._leave, shift, one))
        together(things)

    def _leave(self, shift: plan.Shift, one: Json) -> None:
        leader = self._players.as_(plan.site_leaders()[shift.site])
        leader.post(f"/dispatch/assignments/{one['id']}/checkout", {"at": shift.ends_at.isoformat()}, once=f"out {one['id']}")

    def count(self, on: date, hours: Iterable[int]) -> None:
        """The leaders of the points enter the samples of the hours that are over."""
        with self._reading:
            if self._operation is None:
                self._read_operation()
        sites = {site["name"]: site["id"] for site in self._operation["sites"]}

        def enter(place: int) -> None:
            leader = self._players.as_(plan.site_leaders()[place])
            for hour in hours:
                body = {"on": on.isoformat(), "hour": hour, "samples": plan.samples()[(place, on, hour)]}
                leader.put(f"/dispatch/sites/{sites[plan.SITES[place][0]]}/counts", body)

        together([partial(enter, place) for place in range(len(plan.SITES))])


def shifts_of(on: date, turn: int | None = None) -> Iterator[plan.Shift]:
    """The shifts of a day, or of one of its three times."""
    for number in range(len(plan.TIMES)) if turn is None else (turn,):
        for site in range(len(plan.SITES)):
            yield plan.Shift(on, number, site)
