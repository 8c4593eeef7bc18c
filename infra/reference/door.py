"""The public API as one signed-in caller of the demo's loader meets it."""

import time
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

PATIENCE = 60.0  # seconds for what another service has yet to hear, or a job to end
LOOK_EVERY = 0.2
TRIES = 3  # of what failed: on a machine that is very busy a lock may be waited for too long

Json = Any


class NotLoaded(Exception):
    """The demo's data could not be loaded; the sentence says which step and why."""


class Door:
    """The public API as one signed-in caller meets it; every POST carries the same key on a second try, so nothing happens twice.

    `lenient`: what the world refuses is left undone, since somebody else may have done it or made it impossible meanwhile."""

    def __init__(self, http: httpx.Client, secret: str | None = None, *, lenient: bool = False) -> None:
        self._http, self._lenient = http, lenient
        self._headers = {"Authorization": f"Session {secret}"} if secret else {}

    def as_(self, secret: str) -> "Door":
        """The same API for another caller."""
        return Door(self._http, secret, lenient=self._lenient)

    def get(self, path: str, **query: str | int) -> Json:
        """What stands there."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Json, once: str, patient: tuple[int, ...] = ()) -> Json:
        """Do something once. With `patient` statuses it is tried again: the other service has not heard of the person yet."""
        key = {"Idempotency-Key": str(uuid5(NAMESPACE_URL, f"muster:demo:{once}"))}
        return self._ask("POST", path, patient, json=body, headers=key)

    def upload(self, path: str, file: tuple[str, bytes, str], once: str) -> Json:
        """Hand in a file."""
        key = {"Idempotency-Key": str(uuid5(NAMESPACE_URL, f"muster:demo:{once}"))}
        return self._ask("POST", path, files={"file": file}, headers=key)

    def put(self, path: str, body: Json, patient: tuple[int, ...] = ()) -> Json:
        """Set something."""
        return self._ask("PUT", path, patient, json=body)

    def patch(self, path: str, body: Json) -> Json:
        """Change something."""
        return self._ask("PATCH", path, json=body)

    def _ask(self, method: str, path: str, patient: tuple[int, ...] = (), **what: Any) -> Json:
        headers = {**self._headers, **what.pop("headers", {})}
        until, failed_count = time.monotonic() + PATIENCE, 0
        while True:
            try:
                answer = self._http.request(method, f"/api/v1{path}", headers=headers, **what)
            except httpx.TransportError as lost:
                raise NotLoaded(f"{method} {path}: no answer ({type(lost).__name__})") from lost
            if answer.is_success:
                return answer.json() if answer.content else None
            if self._lenient and method != "GET" and answer.status_code in (404, 409, 422):
                return None
            failed_count += answer.status_code == 500
            again = answer.status_code in (*patient, 429, 503) or (answer.status_code == 500 and failed_count < TRIES)
            if not again or time.monotonic() > until:
                raise NotLoaded(f"{method} {path}: {answer.status_code} {_cause(answer)}")
            time.sleep(LOOK_EVERY)


def _cause(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return answer.text[:200]
    if not isinstance(problem, dict):
        return answer.text[:200]
    fields = ", ".join(f"{error.get('field')}: {error.get('code')}" for error in problem.get("errors") or [])
    return " ".join(part for part in (problem.get("code"), problem.get("title"), fields) if part)


def until(there: Callable[[], bool], sentence: str) -> None:
    """Look again until it is there, or say what is missing."""
    end = time.monotonic() + PATIENCE
    while not there():
        if time.monotonic() > end:
            raise NotLoaded(f"{sentence} within {PATIENCE:.0f} seconds")
        time.sleep(LOOK_EVERY)


def all_rows(door: Door, path: str) -> list[Json]:
    """All rows of a list, page by page."""
    rows: list[Json] = []
    page = 1
    while True:
        answer = door.get(path, page=page, page_size=100)
        rows += answer["items"]
        if not answer["items"] or len(rows) >= answer["total"]:
            return rows
        page += 1
