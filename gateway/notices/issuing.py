"""What a typed notice means: whom it is for, when it is due by the local clock, and what is wrong with it before anybody is asked."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request

from gateway.forms import local_times
from gateway.rights import may, may_everywhere
from gateway.services import Said, dispatch, gather, personnel
from shared.clock import now, today, zone

PEOPLE_MOST = 50  # named one by one; more are a team or a department
URGED_MOST = 10_000
PAGE_SIZE = 200
AT_ONCE = 8
OPERATIONS_SHOWN = 6
TEXTS = ("kind", "title", "text", "title_en", "text_en")
TIMES = ("deadline", "deadline_which", "done_deadline", "done_deadline_which")
KEPT = (*TEXTS, *TIMES, "to", "shift", "people", "asks_done", "mail")  # what the preview hands on, beside the lists
LISTS = ("departments", "teams")
KINDS = ("order", "information", "alert")


@dataclass(slots=True)
class Meant:
    """The notice as the service is asked for it, and what is wrong by field; `twice`: fields whose local time was there twice."""

    wish: dict[str, Any]
    errors: list[dict[str, Any]] = field(default_factory=list)
    twice: dict[str, list[datetime]] = field(default_factory=dict)

    def problem(self) -> dict[str, Any] | None:
        """What is wrong, as a service would say it."""
        return {"code": "invalid", "status": 422, "params": {}, "errors": self.errors} if self.errors else None

    def say(self, name: str, code: str, **params: Any) -> None:
        """This is wrong with that field."""
        self.errors.append({"field": name, "code": code, "params": params})


def audiences(request: Request, shifts: Any, teams: Any) -> list[str]:
    """The kinds of audience that whoever looks can choose."""
    found = ["everyone", "departments"]
    found += ["teams"] if teams else []
    found += ["shift"] if shifts else []
    found += ["people"] if _may_search(request) else []
    return [*found, "urged"] if may(request, "urge.read") else found


def _may_search(request: Request) -> bool:
    return may_everywhere(request, "person.search") or may(request, "team.change")


async def meant(request: Request, form: Mapping[str, Any]) -> Meant:
    """What was typed, as the service takes it. Raises Away when the people it names cannot be looked up."""
    found = Meant({name: form.get(name) for name in TEXTS})
    if not form.get("kind"):
        found.wish["kind"] = ""
    for name in ("kind", "title", "text"):
        if not form.get(name):
            found.say(name, "required")
    found.wish |= {"asks_done": form.get("asks_done") == "on", "mail": form.get("mail") == "on"}
    for name in ("deadline", "done_deadline"):
        found.wish[f"{name}_at"] = _instant(found, form, name)
    found.wish["audience"] = await _audience(request, found, form)
    return found


def _instant(found: Meant, form: Mapping[str, Any], name: str) -> str | None:
    text = str(form.get(name, ""))
    if not text:
        return None
    instants = local_times(text, zone())
    which = str(form.get(f"{name}_which", ""))
    if not instants:
        found.say(name, "no_such_time")
        return None
    if len(instants) > 1:
        found.twice[name] = instants
        if which not in ("0", "1"):
            found.say(f"{name}_which", "time_twice")
            return None
        return instants[int(which)].isoformat()
    return instants[0].isoformat()


async def _audience(request: Request, found: Meant, form: Mapping[str, Any]) -> dict[str, Any]:
    to = str(form.get("to", ""))
    match to:
        case "everyone":
            return {"kind": "everyone", "ids": []}
        case "departments" | "teams":
            return {"kind": to, "ids": _needed(found, to, form[to])}
        case "shift":
            return {"kind": "shift", "ids": _needed(found, "shift", [form["shift"]] if form.get("shift") else [])}
        case "people":
            return {"kind": "people", "ids": await _named(request, found, str(form.get("people", "")))}
        case "urged" if may(request, "urge.read"):
            found.wish["about_health"] = True
            return {"kind": "people", "ids": _needed(found, "to", await urged(), "nobody_urged")}
    found.say("to", "required")
    return {"kind": "everyone", "ids": []}


def _needed(found: Meant, name: str, ids: list[str], code: str = "ids_missing") -> list[str]:
    if not ids:
        found.say(name, code)
    return ids


async def _named(request: Request, found: Meant, text: str) -> list[str]:
    """The people of these numbers or names; each must be one person and no other."""
    asked = list(dict.fromkeys(one.strip() for one in re.split(r"[\n,;，；、]+", text) if one.strip()))
    if not asked or len(asked) > PEOPLE_MOST:
        found.say("people", "ids_missing") if not asked else found.say("people", "too_many_named", limit=PEOPLE_MOST)
        return []
    ids: list[str] = []
    for begin in range(0, len(asked), AT_ONCE):
        few = asked[begin : begin + AT_ONCE]
        for one, people in zip(few, await gather(*(_search(request, name) for name in few)), strict=True):
            exact = [each for each in people if one in (each["name"], each.get("number"))]
            if len(exact) == 1:
                ids.append(exact[0]["id"])
            else:
                found.say("people", "several_called" if exact else "nobody_called", text=one)
    return ids


async def _search(request: Request, name: str) -> list[dict[str, Any]]:
    asked = (
        personnel.get("/people", q=name, page_size=20)
        if may_everywhere(request, "person.search")
        else dispatch.get("/teams/people", q=name)
    )
    return list((await asked)["items"])


async def urged() -> list[str]:
    """Who is to be urged today, by id alone. Who said that they do not want to is left in peace."""
    first = await personnel.get("/coverage/urge", page_size=PAGE_SIZE)
    items = list(first["items"])
    pages = range(2, min(first["total"], URGED_MOST) // PAGE_SIZE + 2 if first["total"] > PAGE_SIZE else 2)
    for begin in range(0, len(pages), AT_ONCE):
        calls = (personnel.get("/coverage/urge", page=number, page_size=PAGE_SIZE) for number in pages[begin : begin + AT_ONCE])
        for answer in await asyncio.gather(*calls):
            items += answer["items"]
    return [one["person"]["id"] for one in items if not one["declined"]]


async def choices(request: Request) -> dict[str, Any]:
    """What one can choose from: departments, teams, and the shifts of today and tomorrow of operations that are open."""
    departments, teams, operations = await gather(
        personnel.try_get("/departments"),
        dispatch.try_get("/teams", page_size=PAGE_SIZE) if may(request, "team.read") else _nothing(),
        dispatch.try_get("/operations", since=today().isoformat(), page_size=50) if may(request, "board.read") else _nothing(),
    )
    running = [one for one in (operations or {}).get("items", []) if one["state"] == "open"]
    boards = await gather(*(dispatch.try_get(f"/operations/{one['id']}/board", days=2) for one in running[:OPERATIONS_SHOWN]))
    shifts = [
        {"operation": board["operation"]["name"], "site": site["name"], **shift}
        for board in boards
        if board
        for site in board["sites"]
        for shift in site["shifts"]
        if shift["state"] != "cancelled" and datetime.fromisoformat(shift["ends_at"]) > now()
    ]
    shifts.sort(key=lambda one: (one["starts_at"], one["operation"], one["site"]))
    return {"departments": (departments or {}).get("items", []), "teams": (teams or {}).get("items", []), "shifts": shifts}


async def chosen_shift(shift_id: str) -> dict[str, Any] | None:
    """The shift that one came from."""
    try:
        found = await dispatch.get(f"/shifts/{shift_id}")
    except Said:
        return None
    times = {name: found[name] for name in ("id", "starts_at", "ends_at")}
    return {"operation": found["operation"]["name"], "site": found["site"]["name"], **times}


async def _nothing() -> None:
    return None
