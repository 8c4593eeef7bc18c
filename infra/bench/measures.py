"""What is measured, one function a line of the table; each answers figures beside their aims."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx

from infra.bench.load import Call, Took, load, quantile
from infra.bench.system import System
from infra.reference.large import large_list
from infra.reference.sheet import staff_list

SESSIONS = 1000
SIDE_BY_SIDE = 8
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Result:
    """Figures beside their aims, in the order in which they were measured."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def add(self, key: str, what: str, measured: str, aim: str, **figures: Any) -> None:
        """One line."""
        self.rows.append((what, measured, aim))
        self.figures[key] = figures
        print(f"  {what}: {measured} (aim {aim})", flush=True)


@dataclass
class Players:
    """Who asks: sessions of the demo, and their caller tokens for a service's own door."""

    system: System
    http: httpx.AsyncClient
    health: str = ""
    health_token: str = ""
    sessions: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)

    async def gather(self) -> None:
        """Sign in the person of health records, and 1,000 sessions of everybody."""
        cast = (await self.http.get("/api/v1/identity/demo/cast")).json()["items"]
        health = next(one for one in cast if one["role"] == "health")
        self.health = await self.session(health["person_id"])
        answer = await self.http.get("/api/v1/personnel/people?page_size=200", headers=self.as_session())
        self.people = [one["id"] for one in answer.json()["items"]]
        self.health_token = await self.token(self.health)
        self.sessions = [""] * SESSIONS
        numbers = iter(range(SESSIONS))

        async def begin() -> None:
            for number in numbers:
                self.sessions[number] = await self.session(self.people[number % len(self.people)])

        await asyncio.gather(*(begin() for _ in range(SIDE_BY_SIDE)))

    async def session(self, person_id: str) -> str:
        """A session of the demo, on this person's phone."""
        answer = await self.http.post("/api/v1/identity/demo/sessions", json={"person_id": person_id, "kind": "phone"})
        answer.raise_for_status()
        secret: str = answer.json()["secret"]
        return secret

    async def token(self, secret: str) -> str:
        """The caller token of a session, from identity's own door."""
        async with httpx.AsyncClient(base_url=self.system.service("identity"), trust_env=False) as identity:
            answer = await identity.post("/sessions/token", headers={"muster-session": secret})
        token: str = answer.json()["token"]
        return token

    def as_session(self) -> dict[str, str]:
        """The headers of health records at the gateway's API."""
        return {"authorization": f"Session {self.health}"}

    def as_token(self) -> dict[str, str]:
        """The headers of health records at a service's own door."""
        return {"authorization": f"Bearer {self.health_token}"}

    def dose(self) -> dict[str, Any]:
        """A dose that nobody has yet: each person on another day."""
        number = next(self._numbers)
        day = date(2021, 3, 1) + timedelta(days=number // len(self.people) % 150)
        return {
            "person_id": self.people[number % len(self.people)],
            "product": "ccibp",
            "given_on": day.isoformat(),
            "lot": f"B{number}",
        }


def held(took: Took, floor: Took) -> str:
    """p95 and its ratio to the floor."""
    failed = f", {took.failed} FAILED" if took.failed else ""
    return f"p95 {took.p95} ms (p50 {took.p50}, {took.per_second:.0f}/s, x{took.ratio(floor)} the bare route{failed})"


def starts(folder: Path, result: Result) -> None:
    """First start, warm start, idle memory."""
    system = System(folder / "real", "run")
    try:
        first = system.start()
        time.sleep(5)
        memory = system.memory()
        system.stop()
        warm = system.start()
    finally:
        system.stop()
    result.add(
        "start", "first start / warm start", f"{first:.1f} s / {warm:.1f} s", "6 s / 3 s", first_s=round(first, 2), warm_s=round(warm, 2)
    )
    result.add("memory", "memory of the idle system, six processes, PostgreSQL and NATS, PSS", f"{memory:.0f} MB", "300 MB", mb=memory)


async def writes(players: Players, floor: Took, result: Result) -> None:
    """A row with its event, and a dose, at the service's door and through the gateway."""
    personnel = players.system.service("personnel")
    staff = await asyncio.gather(*(players.token(one) for one in players.sessions[:64]))
    remark = {"about": "other", "text": "请核对"}
    remarks = [Call("POST", f"{personnel}/remarks", {"authorization": f"Bearer {staff[n % 64]}"}, remark) for n in range(1200)]
    took = await load(remarks, SIDE_BY_SIDE)
    result.add(
        "write",
        "write in a service (row + event)",
        held(took, floor),
        "p95 15 ms",
        p95_ms=took.p95,
        ratio=took.ratio(floor),
        failed=took.failed,
    )
    doses = [Call("POST", f"{personnel}/doses", players.as_token(), players.dose()) for _ in range(800)]
    took = await load(doses, SIDE_BY_SIDE)
    result.add("dose", "dose at the service's door", held(took, floor), "-", p95_ms=took.p95, ratio=took.ratio(floor), failed=took.failed)
    address = f"{players.system.address}/api/v1/personnel/doses"
    doses = [Call("POST", address, players.as_session() | {"idempotency-key": str(uuid4())}, players.dose()) for _ in range(800)]
    took = await load(doses, SIDE_BY_SIDE)
    result.add(
        "dose_gateway", "dose through the gateway with Idempotency-Key", held(took, floor), "p95 30 ms",
        p95_ms=took.p95, ratio=took.ratio(floor), failed=took.failed,
    )  # fmt: skip


EFFECTS = """
select extract(epoch from d.done_at - o.created_at) * 1000 as ms, o.created_at, d.done_at
from personnel.outbox o join identity.done d on d.event_id = o.event_id and d.handler like 'identity_looks%'
where o.subject = 'event.personnel.record.looked' and o.created_at >= $1
"""


async def effects(players: Players, result: Result) -> None:
    """From the commit here to the effect there, at 50 a second; and the first effect after NATS or PostgreSQL was killed."""
    database = players.system.postgres()
    connection = await asyncpg.connect(database.url("postgres"))
    since = await connection.fetchval("select clock_timestamp()")
    await looks(players, per_second=50, seconds=15)
    await asyncio.sleep(2)
    times = sorted(float(row["ms"]) for row in await connection.fetch(EFFECTS, since))
    p50, p99 = round(quantile(times, 0.5), 1), round(quantile(times, 0.99), 1)
    result.add(
        "effect",
        f"commit to effect at 50/s ({len(times)} events), p50 / p99",
        f"{p50} / {p99} ms",
        "15 / 100 ms",
        p50_ms=p50,
        p99_ms=p99,
        count=len(times),
    )
    await connection.close()
    for name, pid in (("NATS", nats_pid(players.system)), ("PostgreSQL", postgres_pid(players.system))):
        os.kill(pid, signal.SIGKILL)
        killed_at = time.time()
        await looks(players, per_second=10, seconds=12)
        await asyncio.sleep(1)
        connection = await asyncpg.connect(database.url("postgres"))
        rows = await connection.fetch(EFFECTS.replace(">= $1", ">= to_timestamp($1)"), killed_at)
        first = min((row["done_at"].timestamp() - killed_at for row in rows), default=float("nan"))
        await connection.close()
        result.add(f"after_{name.lower()}", f"first effect after kill -9 of {name}", f"{first:.1f} s", "5 s", seconds=round(first, 2))


async def looks(players: Players, per_second: int, seconds: int) -> None:
    """Records are looked at, at a pace; whoever is refused meanwhile is not counted."""
    personnel = players.system.service("personnel")
    async with httpx.AsyncClient(base_url=personnel, trust_env=False, timeout=5) as http:

        async def look(number: int) -> None:
            try:
                await http.get(f"/people/{players.people[number % len(players.people)]}/health", headers=players.as_token())
            except httpx.TransportError:
                return

        tasks = []
        for number in range(per_second * seconds):
            tasks.append(asyncio.create_task(look(number)))
            await asyncio.sleep(1 / per_second)
        await asyncio.gather(*tasks)


def nats_pid(system: System) -> int:
    """The running nats-server of this system."""
    return int(next(one.pid for one in system.processes() if "nats-server" in " ".join(one.cmdline())))


def postgres_pid(system: System) -> int:
    """The postmaster of this system."""
    postmasters = [one for one in system.processes() if one.name() == "postgres" and "-D" in one.cmdline()]
    return int(postmasters[0].pid)


async def imports(players: Players, people: int, result: Result) -> None:
    """A staff list of 50,000 with doses: previewed, committed, known in identity; and the memory it takes beside."""
    file = await asyncio.to_thread(lambda: staff_list(large_list(people)))
    database = players.system.postgres()
    connection = await asyncpg.connect(database.url("postgres"))
    known_before = await connection.fetchval("select count(*) from identity.known_person")
    before, peak = players.system.memory_of("personnel"), 0.0
    watching = True

    async def watch() -> None:
        nonlocal peak
        while watching:
            peak = max(peak, await asyncio.to_thread(players.system.memory_of, "personnel"))
            await asyncio.sleep(0.1)

    watcher = asyncio.create_task(watch())
    headers = players.as_session()
    began = time.monotonic()
    answer = await players.http.post("/api/v1/personnel/imports", files={"file": ("list.xlsx", file, XLSX)}, headers=headers)
    answer.raise_for_status()
    path = f"/api/v1/personnel/imports/{answer.json()['id']}"
    await until_state(players, path, {"ready", "failed"})
    choices = {"columns": {}, "create_departments": True}
    previewed = time.monotonic() - began
    (await players.http.put(f"{path}/columns", json=choices, headers=headers)).raise_for_status()
    began_again = time.monotonic()
    found = await until_state(players, path, {"ready", "failed"})
    again = time.monotonic() - began_again
    began = time.monotonic()
    (await players.http.post(f"{path}/commit", headers=headers)).raise_for_status()
    await until_state(players, path, {"committed", "failed"})
    committed = time.monotonic() - began
    began = time.monotonic()
    while await connection.fetchval("select count(*) from identity.known_person") < known_before + found["counts"]["new"]:
        await asyncio.sleep(0.05)
        if time.monotonic() - began > 60:
            break
    known = time.monotonic() - began
    watching = False
    await watcher
    await connection.close()
    result.add(
        "import", f"import of {found['counts']['rows']:,} rows: preview / commit / known in identity",
        f"{previewed:.1f} s (again with departments {again:.1f} s) / {committed:.1f} s / {known:.1f} s more", "5 s / 8 s / 5 s more",
        preview_s=round(previewed, 2),
        preview_again_s=round(again, 2), commit_s=round(committed, 2), known_s=round(known, 2), counts=found["counts"],
    )  # fmt: skip
    result.add(
        "import_memory",
        "extra memory of the import, PSS of personnel and its children",
        f"{peak - before:.0f} MB",
        "300 MB",
        mb=round(peak - before),
    )


async def until_state(players: Players, path: str, states: set[str]) -> dict[str, Any]:
    """Poll an import until it is there; asking more often would take from the two processors what is measured."""
    while True:
        found: dict[str, Any] = (await players.http.get(path, headers=players.as_session())).json()
        if found["state"] in states:
            return found
        await asyncio.sleep(0.1)


async def reads(players: Players, floor: Took, result: Result) -> None:
    """The people list among 50,000 beside a bare one-row read of the same service, and pages through the gateway."""
    personnel = players.system.service("personnel")
    one_row = await load([Call("GET", f"{personnel}/institution", players.as_token())] * 1500, SIDE_BY_SIDE)
    queries = ["王伟", "李静", "明明", "子涵", "wa", "li"]
    address = f"{personnel}/people?employment=permanent&standing=complete&q="
    lists = [Call("GET", address + queries[n % len(queries)], players.as_token()) for n in range(600)]
    took = await load(lists, SIDE_BY_SIDE)
    times = round(took.p95 / one_row.p95, 1)
    result.add(
        "people_list", "people list, two letters and two filters",
        f"p95 {took.p95} ms, x{times} a one-row read of {one_row.p95} ms ({took.failed} failed)",
        "4 x", p95_ms=took.p95, one_row_p95_ms=one_row.p95, times=times, ratio=took.ratio(floor), failed=took.failed,
    )  # fmt: skip
    desk = {"cookie": f"muster={players.health}; lang=zh-Hans"}
    pages = [Call("GET", f"{players.system.address}/people/{players.people[n % len(players.people)]}", desk) for n in range(800)]
    took = await load(pages, SIDE_BY_SIDE)
    result.add(
        "person_page",
        "person page through the gateway",
        held(took, floor),
        "p95 60 ms",
        p95_ms=took.p95,
        ratio=took.ratio(floor),
        failed=took.failed,
    )
