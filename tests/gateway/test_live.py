"""Live hints: open pages are told that something changed, and only those that may ask what."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from gateway.live import MOST_PAGES, Hints, topics_of
from shared import outermost
from shared.auth import Caller
from shared.events import (
    DutiesChanged,
    GapFilled,
    GapOpened,
    HealthRecordChanged,
    ImportMoved,
    PeopleChanged,
    RecordLooked,
    RemarkWritten,
    RolesChanged,
)
from tests.gateway.door import GatewayDoor
from tests.people import ADMINISTRATOR, HEAD, HEALTH, JIANG_CAIWEI, LEADER, LIANG_YUAN, STAFF

HERS = str(JIANG_CAIWEI.id)
EVERYTHING = frozenset(
    {f"person:{HERS}", f"looks:{HERS}", f"remarks:{HERS}", "people", "coverage", "exemptions", "imports", "import:1", "remarks", "accounts"}
)
HAPPENED: list[tuple[str, dict[str, Any]]] = [
    (HealthRecordChanged.subject, {"person_ids": [HERS]}),
    (RecordLooked.subject, {"person_ids": [HERS]}),
    (RemarkWritten.subject, {"person_id": HERS}),
    (ImportMoved.subject, {"import_id": "1"}),
]


def looks_on(who: Caller) -> dict[str, Any]:
    """The session of somebody of the cast, as identity describes it."""
    return {
        "account_id": str(who.account_id),
        "session_id": str(who.session_id),
        "person": {"id": str(who.person_id)},
        "roles": sorted(who.roles),
    }


def heard_by(hints: Hints) -> list[str]:
    """What waits for the one open page to be heard, in any order."""
    (page,) = hints.listeners
    return sorted(page.queue.get_nowait() for _ in range(page.queue.qsize()))


@pytest.mark.parametrize(
    ("who", "hears"),
    [
        (STAFF, []),
        (HEAD, ["coverage"]),
        (LEADER, ["coverage", "exemptions"]),
        (ADMINISTRATOR, []),
        (HEALTH, sorted(EVERYTHING - {"accounts"})),
    ],
)
async def test_that_a_record_changed_or_was_looked_at_is_told_to_nobody_who_may_not_see_it(
    gateway: GatewayDoor, who: Caller, hears: list[str]
) -> None:
    hints = Hints(gateway.app.state.sessions)
    stream = hints.stream(EVERYTHING, looks_on(who))
    await anext(stream)

    for subject, data in HAPPENED:
        hints.tell(topics_of(subject, data))

    assert heard_by(hints) == hears


async def test_each_hears_of_their_own_record(gateway: GatewayDoor) -> None:
    hints = Hints(gateway.app.state.sessions)
    stream = hints.stream(EVERYTHING, looks_on(STAFF) | {"person": {"id": HERS}})
    await anext(stream)

    for subject, data in HAPPENED:
        hints.tell(topics_of(subject, data))

    assert heard_by(hints) == [f"looks:{HERS}", f"person:{HERS}", f"remarks:{HERS}"]


async def test_an_administrator_without_a_person_hears_of_accounts_alone(gateway: GatewayDoor) -> None:
    hints = Hints(gateway.app.state.sessions)
    stream = hints.stream(EVERYTHING, looks_on(ADMINISTRATOR) | {"person": None})
    await anext(stream)

    hints.tell(topics_of(RolesChanged.subject, {}) | topics_of(PeopleChanged.subject, {"people": [{"id": HERS}]}))

    assert heard_by(hints) == ["accounts"]


@pytest.mark.parametrize("name", ["session_id", "account_id"])
async def test_a_stream_ends_with_its_session_and_when_its_rights_change(gateway: GatewayDoor, name: str) -> None:
    hints = Hints(gateway.app.state.sessions)
    mine, others = (hints.stream(EVERYTHING, looks_on(who)) for who in (STAFF, HEAD))
    await anext(mine)
    await anext(others)

    hints.end(name, [looks_on(STAFF)[name]])

    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(mine), 2)
    assert len(hints.listeners) == 1


async def test_a_stream_that_opens_anew_by_itself_does_not_keep_a_desk_awake(gateway: GatewayDoor) -> None:
    browser = await gateway.browser(LIANG_YUAN)
    gateway.app.state.hints.closing.set()  # the stream ends at once

    assert (await browser.get("/live?topics=people")).status_code == 200

    assert [one.quiet for one in gateway.app.state.sessions.known.values()] == [True]


async def test_one_session_opens_so_many_streams_and_no_more(gateway: GatewayDoor) -> None:
    hints = Hints(gateway.app.state.sessions)
    opened = [hints.stream(EVERYTHING, looks_on(STAFF)) for _ in range(MOST_PAGES)]
    for one in opened:
        await anext(one)

    more, others = (hints.stream(EVERYTHING, looks_on(who)) for who in (STAFF, HEAD))
    said = [one.retry async for one in more]
    await anext(others)

    assert said == [30_000]
    assert len(hints.listeners) == MOST_PAGES + 1


async def test_open_pages_leave_the_place_of_requests_to_others(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outermost, "RUNNING_AT_ONCE", 3)
    browser = await gateway.browser(LIANG_YUAN)
    cookie = f"muster={browser.cookies['muster']}".encode()
    shape = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": "/live", "raw_path": b"/live"}
    began: asyncio.Queue[int] = asyncio.Queue()

    async def waits() -> Message:
        return await asyncio.Future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            await began.put(message["status"])

    async def open_page() -> None:
        scope = shape | {"query_string": b"topics=people", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 8000)}
        headers = [(b"host", b"127.0.0.1:8000"), (b"cookie", cookie)]
        await gateway.app({**scope, "client": ("127.0.0.1", 50000), "headers": headers}, waits, send)

    pages, statuses = [], []
    for _ in range(6):
        pages.append(asyncio.create_task(open_page()))
        statuses.append(await began.get())

    answer = await browser.get("/signin")

    for page in pages:
        page.cancel()
    assert (statuses, answer.status_code) == ([200] * 6, 200)


@pytest.mark.parametrize(
    ("subject", "topics"),
    [
        (DutiesChanged.subject, {"rosters": "roster.read", "on_duty": "roster.read"}),
        (GapOpened.subject, {"gaps": "roster.plan", "rosters": "roster.read"}),
        (GapFilled.subject, {"gaps": "roster.plan", "rosters": "roster.read"}),
    ],
)
def test_what_duty_tells_reaches_the_pages_of_duty(subject: str, topics: dict[str, str]) -> None:
    assert topics_of(subject, {}) == topics
