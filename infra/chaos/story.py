"""Sign-ups, acknowledgements, orders, moves and colliding duties, all through the gateways, while every kind of process is killed."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from infra.chaos.house import House
from infra.chaos.kills import AWAY, kill
from infra.chaos.reader import Accepted, broken, on_their_way
from shared.clock import real_now
from shared.events import DepartmentsChanged, DepartmentState, Event, FitnessChanged, FitnessState, PeopleChanged, PersonState

PEOPLE, UNFIT = 60, 6
ROLE, RULE = "登记", "testing_point"
ROLES = ("coordinator", "duty_planner", "leader")
TIMES = [["08:00", "12:00"], ["12:00", "16:00"]]
CROWD = 12
DEADLINE = timedelta(seconds=25)
PATIENCE = 60.0
STARTS_WITHIN = 240.0  # a dozen processes import all they need, on a machine that may be busy
Answer = httpx.Response | None


@dataclass
class Story:
    """Whoever plays, with the doors they play at, and what they were told was accepted."""

    house: House
    dice: random.Random
    http: httpx.AsyncClient
    people: list[UUID] = field(default_factory=lambda: [uuid4() for _ in range(PEOPLE)])
    accepted: Accepted = field(default_factory=Accepted)
    answers: Counter[str] = field(default_factory=Counter)
    shifts: list[dict[str, Any]] = field(default_factory=list)
    post_id: str = ""
    _department: UUID = field(default_factory=uuid4)
    _versions: Counter[UUID] = field(default_factory=Counter)
    _sessions: dict[UUID, str] = field(default_factory=dict)
    _moves: int = 0

    @property
    def monday(self) -> date:
        """The week in which everything is."""
        today = datetime.now(UTC).date()
        return today + timedelta(days=14 - today.weekday())

    async def ask(self, service: str, method: str, path: str, body: Any = None, person: UUID | None = None) -> Answer:
        """One wish of somebody's under one key, at one gateway after the other, until somebody answers; None when nobody does in time."""
        headers = {"authorization": f"Session {self._sessions[person or self.people[0]]}", "idempotency-key": str(uuid4())}
        answer = await self._until_answered(method, f"/api/v1/{service}{path}", body, headers)
        if answer is None:
            self.answers["no answer"] += 1
            return None
        code = answer.json().get("code", "") if answer.is_error else ""
        self.answers[f"{method} {path.rstrip('0123456789abcdef-').rpartition('/')[2] or service} {answer.status_code} {code}"] += 1
        return answer

    async def _sign_in(self, person: UUID) -> None:
        answer = await self._until_answered("POST", "/api/v1/identity/demo/sessions", {"person_id": str(person)}, {})
        if answer is None or answer.is_error:
            raise RuntimeError(f"nobody signs in: {answer.text[:300] if answer is not None else 'no answer'}")
        self._sessions[person] = answer.json()["secret"]

    async def _until_answered(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                answer = await self.http.request(method, self.dice.choice(self.house.doors("gateway")) + path, headers=headers, json=body)
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
            await asyncio.sleep(0.2)
        return None

    async def tell(self, event: Event) -> None:
        """personnel tells something: under one id, until it stands in its outbox."""
        event_id = uuid4()
        while True:
            try:
                connection = await asyncpg.connect(self.house.postgres.url("personnel"), timeout=2)
                try:
                    said = "insert into outbox (event_id, body, subject, created_at) values ($1, $2, $3, $4) on conflict do nothing"
                    await connection.execute(said, event_id, event.envelope(event_id, real_now()), event.subject, real_now())
                finally:
                    await connection.close(timeout=2)
                return
            except AWAY:
                await asyncio.sleep(0.2)

    async def tell_fitness(self, people: Sequence[UUID], *, fit: bool) -> None:
        """These people are fit from now on, or not at all."""
        self._versions.update(people)
        since = real_now() - timedelta(days=1) if fit else None
        states = [FitnessState(person_id=one, rule=RULE, fit_from=since, fit_until=None, version=self._versions[one]) for one in people]
        await self.tell(FitnessChanged(fitness=states))

    async def begin(self) -> None:
        """People who are fit, an operation of a week that is open, and a published roster."""
        department = DepartmentState(
            id=self._department, name="chaos", parent_id=None, head_id=None, reporter_id=None, deputy_id=None, version=1
        )  # fmt: skip
        await self.tell(DepartmentsChanged(departments=[department]))
        told = [
            PersonState(
                id=one, number=f"C{number:04}", name=f"chaos {number}", sort_key=f"chaos {number:04}", department_id=self._department,
                employment="volunteer", left_on=None, version=1,
            )
            for number, one in enumerate(self.people)
        ]  # fmt: skip
        await self.tell(PeopleChanged(people=told))
        await self.tell_fitness(self.people, fit=True)
        await self._heard()
        await self._give_roles()
        for person in self.people:
            await self._sign_in(person)
        sunday = self.monday + timedelta(days=6)
        pattern = {"times": TIMES, "roles": [{"name": ROLE, "head_count": 3}], "signup": True}
        body = {
            "name": "chaos", "kind": "testing", "place": "chaos", "from_on": self.monday.isoformat(), "until_on": sunday.isoformat(),
            "requirement": RULE, "sites": [{"name": "A"}, {"name": "B"}], "pattern": pattern,
        }  # fmt: skip
        operation = await self._must("dispatch", "POST", "/operations", body)
        await self._must("dispatch", "POST", f"/operations/{operation['id']}/opening", {})
        for number in range(7):
            on = self.monday + timedelta(days=number)
            board = await self._must("dispatch", "GET", f"/operations/{operation['id']}/board?on={on}")
            self.shifts += [shift for site in board["sites"] for shift in site["shifts"]]
        post = {"name": "chaos", "starts_at_time": "10:00", "hours": 4, "head_count": 1}
        self.post_id = (await self._must("duty", "POST", "/posts", post))["id"]
        slots = [self._slot(number, self.people[number]) for number in range(7)]
        place = f"/rosters/{self.monday}"
        drafted = await self._must("duty", "PUT", f"{place}/slots", {"version": 0, "slots": slots})
        await self._must("duty", "POST", f"{place}/publication", {"version": drafted["version"]})

    async def _give_roles(self) -> None:
        """The first of the people plans, coordinates and leads."""
        connection = await asyncpg.connect(self.house.postgres.url(), timeout=5)
        given = "insert into identity.role (person_id, role, state, asked_at) values ($1, $2, 'given', $3)"
        await connection.executemany(given, [(self.people[0], role, real_now()) for role in ROLES])
        await connection.close()

    async def _must(self, service: str, method: str, path: str, body: Any = None) -> Any:
        answer = await self.ask(service, method, path, body)
        if answer is None or answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.text[:300] if answer is not None else 'no answer'}")
        return answer.json()

    async def _heard(self) -> None:
        asked = """select (select count(*) from dispatch.known_person) + (select count(*) from dispatch.known_fitness)
            + (select count(*) from duty.known_person) + (select count(*) from notifications.known_person)
            + (select count(*) from identity.known_person)"""
        connection = await asyncpg.connect(self.house.postgres.url(), timeout=5)
        until = time.monotonic() + STARTS_WITHIN
        while await connection.fetchval(asked) < 5 * PEOPLE:
            if time.monotonic() > until:
                raise RuntimeError("the services did not hear of the people")
            await asyncio.sleep(0.2)
        await connection.close()

    def _slot(self, day: int, person: UUID) -> dict[str, Any]:
        on = self.monday + timedelta(days=day)
        return {"post_id": self.post_id, "on": on.isoformat(), "place": 1, "person_id": str(person)}

    async def sign_up(self) -> None:
        """Somebody for some shift; of two one steps back again."""
        await self._one_signs_up(self.dice.choice(self.people), self.dice.choice(self.shifts)["id"])

    async def crowd(self) -> None:
        """Many press at once for the same shift."""
        shift_id = self.dice.choice(self.shifts)["id"]
        await asyncio.gather(*(self._one_signs_up(one, shift_id) for one in self.dice.sample(self.people, CROWD)))

    async def _one_signs_up(self, person: UUID, shift_id: str) -> None:
        answer = await self.ask("dispatch", "POST", f"/shifts/{shift_id}/signup", {"role": ROLE}, person=person)
        if answer is None or answer.status_code != 201:
            return
        assignment_id = answer.json()["id"]
        self.accepted.assignments.add(assignment_id)
        if self.dice.random() < 0.5:
            wish = {"answer": "decline", "reason": "chaos"}
            await self.ask("dispatch", "POST", f"/assignments/{assignment_id}/answer", wish, person=person)

    async def amend(self) -> None:
        """The planner puts somebody else on duty, whoever has signed up for what meanwhile."""
        place = f"/rosters/{self.monday}"
        seen = await self.ask("duty", "GET", place)
        if seen is None or seen.is_error:
            return
        reason = f"chaos {uuid4()}"
        slots = [self._slot(self.dice.randrange(7), self.dice.choice(self.people))]
        body = {"version": seen.json()["version"], "reason": reason, "slots": slots}
        held = [(one["on"], (one["person"] or {}).get("id")) for one in seen.json()["slots"]]
        answer = await self.ask("duty", "PUT", f"{place}/slots", body)
        if answer is not None and answer.status_code == 200 and (slots[0]["on"], slots[0]["person_id"]) not in held:
            self.accepted.amendments.add(reason)

    async def move(self) -> None:
        """The coordinator moves a shift to times that it never had."""
        shift_id = self.dice.choice(self.shifts)["id"]
        seen = await self.ask("dispatch", "GET", f"/shifts/{shift_id}")
        if seen is None or seen.is_error:
            return
        shift = seen.json()
        self._moves += 1
        at = datetime.fromisoformat(shift["starts_at"]).replace(second=0) + timedelta(seconds=self._moves)
        body = {"starts_at": at.isoformat(), "version": shift["version"], "reason": "chaos"}
        answer = await self.ask("dispatch", "PATCH", f"/shifts/{shift_id}", body)
        if answer is None or answer.status_code != 200:
            return
        on_it = [one for one in answer.json()["assignments"] if one["state"] in ("proposed", "confirmed")]
        self.accepted.not_asked_again += sum(one["state"] == "confirmed" for one in on_it)
        self.accepted.moves.append((shift_id, at, tuple(one["person"]["id"] for one in on_it)))
        for one in on_it[:1]:
            await self.ask("dispatch", "POST", f"/assignments/{one['id']}/answer", {"answer": "received"}, person=UUID(one["person"]["id"]))

    async def turn_unfit(self) -> None:
        """Somebody is not fit any more, and somebody else is again."""
        await self.tell_fitness(self.dice.sample(self.people[UNFIT:], 1), fit=self.dice.random() < 0.7)
        await asyncio.sleep(1)

    async def order(self) -> None:
        """An order to everybody whose deadline passes while processes die; half of them acknowledge it."""
        body = {
            "kind": "order", "title": "chaos", "text": "chaos", "audience": {"kind": "everyone", "ids": []},
            "deadline_at": (real_now() + DEADLINE).isoformat(),
        }  # fmt: skip
        answer = await self.ask("notifications", "POST", "/notices", body)
        if answer is None or answer.status_code != 201:
            return
        notice_id = answer.json()["id"]
        self.accepted.notices.add(notice_id)
        await asyncio.gather(*(self._read(notice_id, one) for one in self.dice.sample(self.people, PEOPLE // 2)))

    async def _read(self, notice_id: str, person: UUID) -> None:
        answer = await self.ask("notifications", "POST", f"/inbox/{notice_id}/acknowledgement", None, person=person)
        if answer is not None and answer.status_code == 200:
            self.accepted.read.add((notice_id, str(person)))

    async def settled(self, seconds: float) -> dict[str, int]:
        """What is broken when all is quiet; what is on its way has as long as is fair."""
        await self.tell_fitness(self.people[:UNFIT], fit=False)
        until, found = time.monotonic() + seconds, {"not settled": 1}
        while time.monotonic() < until:
            await asyncio.sleep(2)
            self.house.watch()
            with suppress(*AWAY):
                found = await broken(self.house.postgres.url(), self.accepted)
                if not any(found.values()) and not await on_their_way(self.house.postgres.url()):
                    await asyncio.sleep(DEADLINE.total_seconds() + 3)  # the last deadline, and a late repeat, would show now
                    return await broken(self.house.postgres.url(), self.accepted)
        return found


async def play(house: House, kills: int, seed: int) -> dict[str, Any]:
    """Everybody plays while processes die; then the reader reads."""
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        story = Story(house, random.Random(seed), http)
        await story.begin()
        print("  the story runs", flush=True)
        done, enough = asyncio.Event(), asyncio.Event()
        done.set()
        acts = (*[story.sign_up] * 6, story.crowd, story.amend, story.amend, story.move, story.move, story.turn_unfit, story.order)
        acting = [asyncio.create_task(_again(act, enough)) for act in acts]
        dead = await kill(house, kills, done, random.Random(seed))
        enough.set()
        last = asyncio.gather(*acting)
        while not last.done():  # whoever gave up because its store was away comes again, and answers
            house.watch()
            await asyncio.sleep(1)
        await last
        print("  all is said; waiting for what is still on its way", flush=True)
        found = await story.settled(120)
    accepted = story.accepted
    return {
        "kills": sum(dead.values()), "killed": dict(dead), "seed": seed, "signed_up": len(accepted.assignments),
        "orders": len(accepted.notices), "acknowledged": len(accepted.read), "amended": len(accepted.amendments),
        "moved": len(accepted.moves), "no_answer": story.answers["no answer"],
        "refused": sum(many for what, many in story.answers.items() if " 4" in what), "broken": found,
    }  # fmt: skip


async def _again(act: Callable[[], Awaitable[None]], enough: asyncio.Event) -> None:
    while not enough.is_set():
        await act()
        await asyncio.sleep(0.1)
