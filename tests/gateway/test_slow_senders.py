"""Whoever sends a request by the drop does not keep the place of others."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message
from structlog.testing import capture_logs

from shared import outermost
from tests.gateway.door import GatewayDoor


def posting(path: str) -> dict[str, Any]:
    """A form on its way to an address."""
    headers = [
        (b"host", b"127.0.0.1:8000"),
        (b"origin", b"http://127.0.0.1:8000"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"100000"),
    ]
    scope: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path}
    scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "headers": headers}
    return {**scope, "server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 50000)}


async def send_by_the_drop(gateway: GatewayDoor, path: str, first: bytes) -> int:
    """A request whose beginning arrives and whose rest does not; answers the status."""
    said: list[int] = []
    drops = [first]

    async def receive() -> Message:
        if drops:
            return {"type": "http.request", "body": drops.pop(), "more_body": True}
        return await asyncio.Future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    await gateway.app(posting(path), receive, send)
    return said[0]


@pytest.mark.parametrize("path", ["/signin", "/api/v1/identity/sessions"])
async def test_a_request_that_does_not_arrive_is_ended(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(outermost, "SENDING_SECONDS", 0.05)

    assert await asyncio.wait_for(send_by_the_drop(gateway, path, b"username=a"), 5) in (400, 408)


async def test_those_who_send_by_the_drop_lock_nobody_out(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outermost, "RUNNING_AT_ONCE", 3)

    drops = [asyncio.create_task(send_by_the_drop(gateway, "/signin", b"username=a")) for _ in range(5)]
    await asyncio.sleep(0.1)
    answer = await gateway.stranger().get("/signin")
    for one in drops:
        one.cancel()

    assert answer.status_code == 200


async def test_a_large_list_over_a_slow_line_has_the_time_it_needs(gateway: GatewayDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outermost, "SENDING_SECONDS", 0.05)
    monkeypatch.setattr(outermost, "SENDING_RATE", 1)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(send_by_the_drop(gateway, "/signin", b"username=a"), 2)


async def test_whoever_goes_away_in_the_middle_of_an_upload_is_no_error_of_ours(gateway: GatewayDoor) -> None:
    arriving: list[Message] = [{"type": "http.request", "body": b"username=a", "more_body": True}, {"type": "http.disconnect"}]
    said: list[Message] = []

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(message: Message) -> None:
        said.append(message)

    with capture_logs() as lines:
        await gateway.app(posting("/signin"), receive, send)

    assert (said, lines) == ([], [])


async def test_a_body_that_is_too_large_is_refused_in_our_words(gateway: GatewayDoor) -> None:
    answer = await gateway.stranger().post("/api/v1/identity/sessions", content=b"x" * 22_000_000)

    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert answer.json()["code"] == "too_large"
