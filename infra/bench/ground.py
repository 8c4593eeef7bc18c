"""What the story's measures stand on: 5,000 volunteers and an open operation among 50,000 people, made through the public API."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from infra.bench.measures import SIDE_BY_SIDE, Players

VOLUNTEERS = 5000
SITES, DAYS = 20, 3
TIMES = [["08:00", "12:00"], ["13:00", "17:00"], ["18:00", "22:00"]]
ROLES = {"信息登记": 10, "秩序维护": 10}
SECONDS_TO_HEAR = 120

HEARD = """
select (select count(*) from personnel.person) as people, (select count(*) from personnel.outbox where sent_at is null) as unsent,
(select count(*) from dispatch.known_person) as in_dispatch, (select count(*) from notifications.known_person) as in_notifications,
(select count(*) from dispatch.known_fitness) as fitness
"""


@dataclass
class Ground:
    """Who coordinates and leads, as sessions; the volunteers by id; the operation's shifts by day, and who was asked on the first day."""

    players: Players
    coordinator: str = ""
    leader: str = ""
    leader_id: str = ""
    volunteers: list[str] = field(default_factory=list)
    operation_id: str = ""
    days: list[str] = field(default_factory=list)
    shifts: list[list[str]] = field(default_factory=list)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    _sessions: dict[str, str] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Everything, once all services have heard of everybody."""
        cast = (await self.players.http.get("/api/v1/identity/demo/cast")).json()["items"]
        of_role = {one["role"]: one["person_id"] for one in cast}
        self.leader_id = of_role["leader"]
        self.coordinator, self.leader = [await self.players.session(of_role[role]) for role in ("coordinator", "leader")]
        await self._heard()
        came = await self._people("volunteer", VOLUNTEERS)
        team = await self._people("permanent", VOLUNTEERS - len(came))
        self.volunteers = [*came, *team]
        await self.post("dispatch/teams", {"name": f"bench {uuid4()}", "member_ids": team}, self.coordinator)
        await self._plan()
        await self._ask()

    async def _heard(self) -> None:
        """Until dispatch and notifications know everybody, and who is fit for what."""
        connection = await asyncpg.connect(self.players.system.postgres().url("postgres"))
        before = -1
        for _ in range(SECONDS_TO_HEAR):
            (row,) = await connection.fetch(HEARD)
            known = row["people"] == row["in_dispatch"] == row["in_notifications"] and row["unsent"] == 0
            if known and row["fitness"] == before:
                break
            before = row["fitness"]
            await asyncio.sleep(1)
        await connection.close()

    async def _people(self, employment: str, most: int) -> list[str]:
        """Ids of people with a complete series, page by page."""
        found: list[str] = []
        page = 1
        while len(found) < most:
            query = f"employment={employment}&standing=complete&page_size=200&page={page}"
            answer = await self.players.http.get(f"/api/v1/personnel/people?{query}", headers=self.players.as_session())
            items = answer.json()["items"]
            found += [one["id"] for one in items]
            if not items:
                break
            page += 1
        return found[:most]

    async def _plan(self) -> None:
        """Twenty sites, three days from the day after tomorrow on, three shifts a day that one may sign up for."""
        local = (await self.players.http.get("/api/v1/identity/demo/clock")).json()["local"]
        first = datetime.fromisoformat(local).date() + timedelta(days=2)
        self.days = [(first + timedelta(days=one)).isoformat() for one in range(DAYS)]
        body = {
            "name": f"bench {uuid4()}",
            "kind": "testing",
            "place": "林语社区",
            "from_on": self.days[0],
            "until_on": self.days[-1],
            "requirement": "testing_point",
            "sites": [{"name": f"{number + 1} 号点"} for number in range(SITES)],
            "pattern": {"times": TIMES, "roles": [{"name": name, "head_count": many} for name, many in ROLES.items()], "signup": True},
        }
        self.operation_id = (await self.post("dispatch/operations", body, self.coordinator))["id"]
        await self.post(f"dispatch/operations/{self.operation_id}/opening", {}, self.coordinator)
        for on in self.days:
            answer = await self.players.http.get(
                f"/api/v1/dispatch/operations/{self.operation_id}/board?on={on}", headers=as_session(self.coordinator)
            )
            self.shifts.append([shift["id"] for site in answer.json()["sites"] for shift in site["shifts"]])

    async def _ask(self) -> None:
        """The first shift of each site is full of people who were asked and have not answered."""
        people = iter(self.volunteers)
        for shift_id in self.shifts[0][:: len(TIMES)]:
            for role, many in ROLES.items():
                wish = {"shift_id": shift_id, "role": role, "person_ids": [one for one, _ in zip(people, range(many), strict=False)]}
                placed = await self.post("dispatch/assignments", wish, self.coordinator)
                self.asked += [(shift_id, one["id"], one["person"]["id"]) for one in placed["done"]]

    @property
    def free(self) -> list[str]:
        """The volunteers whom nobody has asked yet."""
        return self.volunteers[SITES * sum(ROLES.values()) :]

    async def post(self, path: str, body: Any, session: str) -> Any:
        """Something is done through the public API."""
        headers = as_session(session) | {"idempotency-key": str(uuid4())}
        answer = await self.players.http.post(f"/api/v1/{path}", json=body, headers=headers)
        if answer.is_error:
            raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def sessions_of(self, people: Iterable[str]) -> list[str]:
        """A session on the phone of each of these, begun once."""
        wanted = list(people)
        left = iter([one for one in dict.fromkeys(wanted) if one not in self._sessions])

        async def begin() -> None:
            for one in left:
                self._sessions[one] = await self.players.session(one)

        await asyncio.gather(*(begin() for _ in range(SIDE_BY_SIDE)))
        return [self._sessions[one] for one in wanted]


def as_session(secret: str) -> dict[str, str]:
    """A session at the gateway's API."""
    return {"authorization": f"Session {secret}"}


def as_page(secret: str) -> dict[str, str]:
    """A session in a browser, on a page of ours."""
    return {"cookie": f"muster={secret}; lang=zh-Hans", "sec-fetch-site": "same-origin"}
