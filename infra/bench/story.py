"""The figures of the story: the phone's first page, shifts and who could stand on them, an order to everybody, the live board."""

import asyncio
import re
import time
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import asyncpg

from infra.bench.desk import Desk
from infra.bench.ground import ROLES, Ground, as_page, as_session
from infra.bench.load import Call, Took, load, quantile
from infra.bench.measures import SESSIONS, SIDE_BY_SIDE, Players, Result, held

DESKS = 20
PHONES, PHONE_SECONDS = 5000, 60
TAPS, TAPS_PER_SECOND = 60, 3
SEEN_WITHIN = 10.0
TWICE = 20
"""Every so many-th phone sends its tap twice."""


async def home(players: Players, floor: Took, result: Result) -> None:
    """The person's own page, which asks four services: alone, and at eight."""
    pages = [Call("GET", f"{players.system.address}/", as_page(one)) for one in players.sessions]
    await load(pages[:100], SIDE_BY_SIDE)
    alone, together = await load(pages[:300], 1), await load([*pages, *pages[:500]], SIDE_BY_SIDE)
    _two(result, "home", f"the person's own page, {SESSIONS} sessions", alone, together, floor, "20 / 50 ms, 50 x")


async def shift(ground: Ground, floor: Took, result: Result) -> None:
    """A full shift with its people and its candidates, as the coordinator sees it."""
    address = ground.players.system.address
    of_shifts = [ground.asked[n * sum(ROLES.values()) % len(ground.asked)][0] for n in range(20)]
    pages = [Call("GET", f"{address}/shifts/{one}", as_page(ground.coordinator)) for one in islice(cycle(of_shifts), 240)]
    alone, together = await load(pages[:60], 1), await load(pages, SIDE_BY_SIDE)
    _two(result, "shift", "a shift with its people and candidates, the page", alone, together, floor, "- / 60 ms")


async def openings(ground: Ground, floor: Took, result: Result) -> None:
    """The first hundred shifts that one is fit and free for."""
    sessions = await ground.sessions_of(ground.free[-64:])
    address = f"{ground.players.system.address}/api/v1/dispatch/shifts/open/mine"
    answer = await ground.players.http.get("/api/v1/dispatch/shifts/open/mine", headers=as_session(sessions[0]))
    many = len(answer.json()["items"])
    calls = [Call("GET", address, as_session(one)) for one in islice(cycle(sessions), 400)]
    alone, together = await load(calls[:80], 1), await load(calls, SIDE_BY_SIDE)
    _two(result, "openings", f"the {many} shifts one is fit and free for", alone, together, floor, "- / 60 ms", shifts=many)


async def signup(ground: Ground, floor: Took, result: Result) -> None:
    """A volunteer each signs up for a shift of the second day."""
    people = ground.free[:600]
    sessions = await ground.sessions_of(people)
    address = f"{ground.players.system.address}/api/v1/dispatch/shifts"
    places = cycle([(one, role) for role in ROLES for one in ground.shifts[1]])
    calls = [
        Call("POST", f"{address}/{one}/signup", as_session(secret) | {"idempotency-key": str(uuid4())}, {"role": role})
        for secret, (one, role) in zip(sessions, places, strict=False)
    ]
    took = await load(calls, SIDE_BY_SIDE)
    result.add(
        "signup", "sign-up through the gateway with Idempotency-Key", held(took, floor), "p95 40 ms",
        p95_ms=took.p95, ratio=took.ratio(floor), count=took.count, failed=took.failed,
    )  # fmt: skip


async def candidates(ground: Ground, floor: Took, result: Result) -> None:
    """Who could be asked for a shift, ranked among all volunteers."""
    paths = [
        f"/api/v1/dispatch/shifts/{one}/candidates?role={quote(role)}&page_size=50" for one in ground.shifts[2] for role in list(ROLES)[:1]
    ]
    answer = await ground.players.http.get(paths[0], headers=as_session(ground.coordinator))
    total = answer.json()["total"]
    calls = [Call("GET", ground.players.system.address + one, as_session(ground.coordinator)) for one in islice(cycle(paths), 200)]
    alone, together = await load(calls[:60], 1), await load(calls, SIDE_BY_SIDE)
    _two(
        result,
        "candidates",
        f"candidates of a shift, ranked, {total:,} volunteers",
        alone,
        together,
        floor,
        "60 / 200 ms",
        candidates=total,
    )


async def order(ground: Ground, result: Result) -> str:
    """An order to everybody: committed, in every inbox, counted on the progress page. The id of the order."""
    began = time.monotonic()
    notice = await ground.post("notifications/notices", _order(), ground.leader)
    committed = time.monotonic() - began
    connection = await asyncpg.connect(ground.players.system.postgres().url("postgres"))
    reached = "select count(*) from notifications.recipient where notice_id = $1"
    told = await connection.fetchval(reached, notice["id"])
    while told < notice["head_count"] and time.monotonic() - began < PHONE_SECONDS:
        await asyncio.sleep(0.1)
        told = await connection.fetchval(reached, notice["id"])
    in_inboxes = time.monotonic() - began
    await connection.close()
    look = Call("GET", f"{ground.players.system.address}/notices/{notice['id']}", as_page(ground.leader))
    looks = await load([look] * 30, 1)
    path = f"/api/v1/notifications/notices/{notice['id']}/progress"
    counted = (await ground.players.http.get(path, headers=as_session(ground.leader))).json()["totals"]["told_count"]
    right = "right" if counted == told == notice["head_count"] else f"WRONG ({counted:,} counted, {notice['head_count']:,} told of)"
    result.add(
        "order", f"order to {told:,}: committed / in every inbox / a look at the progress page, p95",
        f"{committed:.2f} s / {in_inboxes:.2f} s / {looks.p95} ms, head-count {right}", "2 s / 20 s / 300 ms",
        committed_s=round(committed, 2), inboxes_s=round(in_inboxes, 2), look_p95_ms=looks.p95, told=told,
        head_counts=right, failed=looks.failed,
    )  # fmt: skip
    return str(notice["id"])


def _order() -> dict[str, Any]:
    audience = {"kind": "everyone", "ids": []}
    return {"kind": "order", "title": "今日起全员手机24小时开机", "text": "请各处室立即传达，读后逐人回复。", "audience": audience}


async def phones(ground: Ground, result: Result) -> None:
    """Within a minute 5,000 phones acknowledge an order to everybody, some twice, while its progress is open on 20 desks."""
    people = ground.volunteers[:PHONES]
    sessions = await ground.sessions_of(people)
    notice_id = (await ground.post("notifications/notices", _order(), ground.leader))["id"]
    address = ground.players.system.address
    desks = [await ground.players.session(ground.leader_id) for _ in range(DESKS)]
    times: list[float] = []
    accepted: set[str] = set()

    async def tap(http: aiohttp.ClientSession, person: str, secret: str, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        try:
            url = f"{address}/inbox/{notice_id}/acknowledgement"
            async with http.post(url, headers=as_page(secret), data={"once": str(uuid4())}, allow_redirects=False) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return
        times.append((time.perf_counter() - due) * 1000)
        if answer.status == 303:
            accepted.add(person)

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=5)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as http:
        open_pages = [Desk(http, address, f"/notices/{notice_id}", f"notice:{notice_id}", as_page(one), "progress") for one in desks]
        for one in open_pages:
            await one.__aenter__()
        began = time.perf_counter()
        each = PHONE_SECONDS / max(len(people), 1)
        taps = [(person, secret, began + number * each) for number, (person, secret) in enumerate(zip(people, sessions, strict=True))]
        await asyncio.gather(*(tap(http, *one) for one in [*taps, *taps[::TWICE]]))
        for one in open_pages:
            await one.__aexit__()
    lost, doubled = await _answers(ground, notice_id, accepted)
    times.sort()
    looks = sorted(taken for one in open_pages for taken in one.times)
    p50, p95, p99 = (round(quantile(times, share), 1) for share in (0.5, 0.95, 0.99))
    look = round(quantile(looks, 0.95), 1)
    not_accepted = len(people) - len(accepted)
    result.add(
        "phones", f"{len(people):,} phones acknowledge within {PHONE_SECONDS} s, progress open on {DESKS} desks, p95",
        f"{p95} ms (p50 {p50}, p99 {p99}), {not_accepted} not accepted, {lost} lost, {doubled} doubled; "
        f"{len(looks)} looks of the desks p95 {look} ms", "100 ms, 0, 0",
        p50_ms=p50, p95_ms=p95, p99_ms=p99, phones=len(people), not_accepted=not_accepted, lost=lost, doubled=doubled,
        looks=len(looks), look_p95_ms=look, looks_failed=sum(one.failed for one in open_pages),
    )  # fmt: skip


async def _answers(ground: Ground, notice_id: str, accepted: set[str]) -> tuple[int, int]:
    """How many answers that were accepted are not written, and how many more are counted than were written."""
    connection = await asyncpg.connect(ground.players.system.postgres().url("postgres"))
    written = "select person_id from notifications.recipient where notice_id = $1 and read_at is not null"
    read = {str(row["person_id"]) for row in await connection.fetch(written, notice_id)}
    counted = await connection.fetchval("select sum(read_count) from notifications.notice_department where notice_id = $1", notice_id)
    await connection.close()
    return len(accepted - read), counted - len(read)


async def board(ground: Ground, result: Result) -> None:
    """From the tap with which somebody says that they come, to the block of the live board that shows it."""
    asked = [one for _, one in zip(range(TAPS), ground.asked, strict=False)]
    sessions = await ground.sessions_of(person for _, _, person in asked)
    address = ground.players.system.address
    path = f"/operations/{ground.operation_id}/board?on={ground.days[0]}"
    waiting: dict[str, list[float]] = {}
    shown: dict[str, int] = {}
    times: list[float] = []

    def seen(block: str, moment: float) -> None:
        for shift_id, count in re.findall(r'href="/shifts/([0-9a-f-]{36})".*?class="covered">(\d+)/', block, re.DOTALL):
            fresh = int(count) - shown.get(shift_id, 0)
            for _ in range(min(fresh, len(waiting.get(shift_id, ())))):
                times.append((moment - waiting[shift_id].pop(0)) * 1000)
            shown[shift_id] = int(count)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http:
        topics = f"operation:{ground.operation_id},assignments"
        async with http.get(address + path, headers=as_page(ground.coordinator)) as answer:
            seen(await answer.text(), time.perf_counter())
        async with Desk(http, address, path, topics, as_page(ground.coordinator), "live", seen):
            taps = []
            for (shift_id, assignment_id, _), secret in zip(asked, sessions, strict=True):
                waiting.setdefault(shift_id, []).append(time.perf_counter())
                url, form = f"{address}/me/assignments/{assignment_id}/answer", {"answer": "received", "once": str(uuid4())}
                taps.append(asyncio.create_task(_tap(http, url, as_page(secret), form)))
                await asyncio.sleep(1 / TAPS_PER_SECOND)
            refused = sum([not await one for one in taps])
            until = time.perf_counter() + SEEN_WITHIN
            while any(waiting.values()) and time.perf_counter() < until:  # noqa: ASYNC110  # the desk looks by itself
                await asyncio.sleep(0.05)
    times.sort()
    unseen = sum(len(one) for one in waiting.values()) - refused
    p50, p99 = (round(quantile(times, share)) for share in (0.5, 0.99))
    result.add(
        "board", f"tap on a phone to seen on the board, {len(times)} taps at {TAPS_PER_SECOND}/s, p50 / p99",
        f"{p50} / {p99} ms, {unseen} never seen, {refused} refused", "300 / 2000 ms",
        p50_ms=p50, p99_ms=p99, count=len(times), unseen=unseen, refused=refused,
    )  # fmt: skip


async def _tap(http: aiohttp.ClientSession, url: str, headers: dict[str, str], form: dict[str, str]) -> bool:
    async with http.post(url, headers=headers, data=form, allow_redirects=False) as answer:
        await answer.read()
        return answer.status == 303


def _two(result: Result, key: str, what: str, alone: Took, together: Took, floor: Took, aim: str, **more: Any) -> None:
    """p95 alone and at eight, and what eight are to the bare route."""
    failed = alone.failed + together.failed
    measured = f"p95 {alone.p95} / {together.p95} ms (x{together.ratio(floor)} the bare route{f', {failed} FAILED' if failed else ''})"
    figures = {"alone_p95_ms": alone.p95, "p95_ms": together.p95, "ratio": together.ratio(floor), "failed": failed}
    result.add(key, f"{what}, alone / at {SIDE_BY_SIDE}", measured, aim, **figures, **more)
