"""Webhooks: signed, sent again until taken, never to an address inside, and once for each who was confirmed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError

from services.notifications import webhooks
from shared.clock import real_now
from shared.events import AssignmentsChanged, AssignmentState
from shared.house import Errand
from shared.settings import settings
from tests.doors import Door, errors_of
from tests.people import ADMINISTRATOR, GU_CHANGTING, HEALTH, LEADER, LIANG_YUAN, STAFF, Person, id_of
from tests.services.notified import moment, tell


class Outside:
    """A system that takes webhooks, and answers as it was told to."""

    def __init__(self) -> None:
        self.answer, self.port = "204 No Content", 0
        self.taken: list[tuple[str, dict[str, str], bytes]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.taken.append((head[0], headers, body))
            if self.answer == "hangs":
                await reader.read()
                return
            more = "Location: http://127.0.0.1:1/elsewhere\r\n" if self.answer.startswith("3") else ""
            writer.write(f"HTTP/1.1 {self.answer}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    found = Outside()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()


@pytest.fixture
def inside_allowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("WEBHOOK_INSIDE", "true")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


async def made(notifications: Door, url: str) -> dict[str, Any]:
    answer = await notifications.post("/webhooks", {"url": url, "kind": "assignment.confirmed"}, ADMINISTRATOR)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def hears(notifications: Door, state: str, version: int, person: Person = LIANG_YUAN) -> None:
    said: dict[str, Any] = {"id": id_of(f"a{person.number}"), "shift_id": id_of("shift"), "person_id": person.id, "role": "扫码"}
    said |= {"starts_at": moment("08:00"), "ends_at": moment("12:00"), "state": state, "version": version}
    await notifications.hears(AssignmentsChanged(assignments=[AssignmentState.model_validate(said)]))


async def deliveries(notifications: Door, hook: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await notifications.get(f"/webhooks/{hook['id']}/deliveries", ADMINISTRATOR)).json()["items"]
    return found


async def try_again(notifications: Door) -> None:
    async with notifications.rows() as tx:
        await tx.execute(update(Errand).where(Errand.state == "waiting").values(due_at=real_now()))
    await notifications.errands()


@pytest.mark.usefixtures("inside_allowed")
async def test_whoever_is_confirmed_is_told_once_and_signed(notifications: Door) -> None:
    await tell(notifications)
    async with outside() as system:
        hook = await made(notifications, f"http://127.0.0.1:{system.port}/hook?x=1")
        for state, version in (("proposed", 1), ("confirmed", 2), ("confirmed", 2), ("confirmed", 3), ("checked_in", 4)):
            await hears(notifications, state, version)
        await notifications.errands()

    ((line, headers, body),) = system.taken
    assert line == "POST /hook?x=1 HTTP/1.1"
    assert headers["host"] == f"127.0.0.1:{system.port}"
    assert Receiver(hook["secret"]).verify(body, headers)["type"] == "assignment.confirmed"
    with pytest.raises(WebhookVerificationError):
        Receiver(hook["secret"]).verify(body + b" ", headers)
    assert json.loads(body)["data"] == {
        "assignment_id": str(id_of(f"a{LIANG_YUAN.number}")),
        "shift_id": str(id_of("shift")),
        "person_id": str(LIANG_YUAN.id),
        "role": "扫码",
        "starts_at": "2021-08-04T08:00:00+08:00",
        "ends_at": "2021-08-04T12:00:00+08:00",
    }
    assert [(one["state"], one["tries"]) for one in await deliveries(notifications, hook)] == [("sent", 1)]


@pytest.mark.usefixtures("inside_allowed")
async def test_who_is_asked_again_and_confirms_again_is_told_again(notifications: Door) -> None:
    async with outside() as system:
        await made(notifications, f"http://127.0.0.1:{system.port}/")
        for state, version in (("confirmed", 1), ("proposed", 2), ("confirmed", 3)):
            await hears(notifications, state, version)
        await notifications.errands()

    assert len({headers["webhook-id"] for _, headers, _ in system.taken}) == 2


@pytest.mark.usefixtures("inside_allowed")
@pytest.mark.parametrize("answer", ["500 Oh", "404 Gone", "302 Found", "hangs"])
async def test_what_was_not_taken_is_sent_again_with_the_same_id(notifications: Door, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr(webhooks, "SECONDS", 0.5)
    async with outside() as system:
        system.answer = answer
        hook = await made(notifications, f"http://127.0.0.1:{system.port}/")
        await hears(notifications, "confirmed", 1)
        await notifications.errands()
        (waiting,) = await deliveries(notifications, hook)
        system.answer = "200 OK"
        await try_again(notifications)

    (sent,) = await deliveries(notifications, hook)
    assert (waiting["state"], waiting["tries"], bool(waiting["error"])) == ("waiting", 1, True)
    assert (sent["state"], sent["tries"]) == ("sent", 2)
    assert len(system.taken) == 2
    assert len({headers["webhook-id"] for _, headers, _ in system.taken}) == 1


@pytest.mark.usefixtures("inside_allowed")
async def test_who_wants_no_more_is_asked_no_more(notifications: Door) -> None:
    async with outside() as system:
        system.answer = "410 Gone"
        hook = await made(notifications, f"http://127.0.0.1:{system.port}/")
        await hears(notifications, "confirmed", 1)
        await notifications.errands()

    assert [(one["state"], one["tries"]) for one in await deliveries(notifications, hook)] == [("failed", 1)]


@pytest.mark.usefixtures("inside_allowed")
async def test_a_webhook_that_was_ended_sends_nothing_any_more(notifications: Door) -> None:
    async with outside() as system:
        hook = await made(notifications, f"http://127.0.0.1:{system.port}/")
        await hears(notifications, "confirmed", 1)
        ended = [(await notifications.delete(f"/webhooks/{hook['id']}", ADMINISTRATOR)).status_code for _ in range(2)]
        await hears(notifications, "confirmed", 1, GU_CHANGTING)
        await notifications.errands()

    assert (ended, system.taken) == ([204, 204], [])
    assert [one["error"] for one in await deliveries(notifications, hook)] == ["the webhook was ended"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.org/", "https_needed"),
        ("ftp://hooks.example.org/", "https_needed"),
        ("https://127.0.0.1/", "address_inside"),
        ("https://[::1]/", "address_inside"),
        ("https://[::ffff:10.0.0.1]/", "address_inside"),
        ("https://169.254.169.254/latest/meta-data", "address_inside"),
        ("https://localhost/", "address_inside"),
        ("https://printer.local/", "address_inside"),
        ("https://user:word@hooks.example.org/", "address_unreadable"),
        ("https:///nowhere", "address_unreadable"),
        ("https://hooks.example.org:99999/", "address_unreadable"),
        ("https://[::1/", "address_unreadable"),
        ("nonsense", "address_unreadable"),
    ],
)
async def test_an_address_inside_or_unreadable_is_refused_at_once(notifications: Door, url: str, code: str) -> None:
    answer = await notifications.post("/webhooks", {"url": url, "kind": "assignment.confirmed"}, ADMINISTRATOR)

    assert answer.status_code == 422, answer.text
    assert [(field, found) for field, found, _ in errors_of(answer)] == [("url", code)]


async def test_a_name_that_leads_inside_is_refused_when_it_is_called(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async with outside() as system:
        with monkeypatch.context() as allowed:
            allowed.setenv("WEBHOOK_INSIDE", "true")
            settings.cache_clear()
            hook = await made(notifications, f"http://localhost:{system.port}/")
        settings.cache_clear()
        await hears(notifications, "confirmed", 1)
        await notifications.errands()

    assert system.taken == []
    assert [(one["state"], one["error"]) for one in await deliveries(notifications, hook)] == [
        ("failed", "its name leads inside this network")
    ]


async def test_a_name_that_leads_both_ways_is_a_trap(notifications: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = await made(notifications, "https://hooks.example.org/")

    async def both(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", port)), (0, 0, 0, "", ("10.0.0.1", port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", both)
    await hears(notifications, "confirmed", 1)
    async with notifications.rows() as tx:
        await tx.connection()  # the store is reached before names lead elsewhere
    await notifications.errands()

    monkeypatch.undo()
    assert [one["error"] for one in await deliveries(notifications, hook)] == ["its name leads inside this network"]


async def test_the_secret_is_shown_once_and_only_administrators_see_webhooks(notifications: Door) -> None:
    hook = await made(notifications, "https://hooks.example.org/muster")

    listed = await notifications.get("/webhooks", ADMINISTRATOR)

    assert hook["secret"].startswith("whsec_")
    assert [one["url"] for one in listed.json()["items"]] == ["https://hooks.example.org/muster"]
    assert hook["secret"] not in listed.text
    for who in (STAFF, LEADER, HEALTH):
        assert (await notifications.get("/webhooks", who)).status_code == 403
        assert (await notifications.get(f"/webhooks/{hook['id']}/deliveries", who)).status_code == 403


async def test_there_are_not_more_webhooks_than_one_looks_after(notifications: Door) -> None:
    for number in range(20):
        await made(notifications, f"https://hooks.example.org/{number}")

    answer = await notifications.post("/webhooks", {"url": "https://hooks.example.org/x", "kind": "assignment.confirmed"}, ADMINISTRATOR)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
