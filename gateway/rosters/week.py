"""A week as its pages show it: posts by days, what was typed into the places, and what is wrong with them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from gateway.services import duty, gather
from shared.clock import now

WEEK = timedelta(days=7)
FOUND_AT_MOST = 200
ENDS_WITH_THEM = ("too_little_rest", "too_many_hours")


class Typed(NamedTuple):
    """What stands in a place of the grid: whose id, and the words in the field; no id while only words were typed."""

    person_id: str = ""
    name: str = ""

    @property
    def chosen(self) -> str:
        """The value of the hidden field: whose id, and for which words it was chosen."""
        return f"{self.person_id} {self.name}" if self.person_id else ""


class Finding(NamedTuple):
    """What is wrong with a place: where, who, and the reasons; a gap has none."""

    key: str
    post: str
    on: str
    place: int
    person: str
    reasons: list[dict[str, Any]]


def monday_of(on: date) -> date:
    """The Monday of a day's week."""
    return on - timedelta(days=on.weekday())


def key_of(slot: Mapping[str, Any]) -> str:
    """By which a place is told in the form."""
    return f"{slot['post_id']}.{slot['on']}.{slot['place']}"


def standing(roster: Mapping[str, Any]) -> dict[str, Typed]:
    """Who holds each place now."""
    found = {key_of(slot): slot["person"] for slot in roster["slots"]}
    return {key: Typed(person["id"], person["name"]) if person else Typed() for key, person in found.items()}


def grid_of(roster: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each post, a cell for each day, in each the places one below the other."""
    cells: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for slot in roster["slots"]:
        runs = datetime.fromisoformat(slot["starts_at"]) <= now() < datetime.fromisoformat(slot["ends_at"])
        cells.setdefault((slot["post_id"], slot["on"]), []).append({**slot, "key": key_of(slot), "runs": runs})
    return [{"post": post, "days": [(on, cells.get((post["id"], on), [])) for on in roster["days"]]} for post in roster["posts"]]


def put_in(form: Mapping[str, Any], roster: Mapping[str, Any]) -> dict[str, Typed]:
    """What the form says of each place. An id counts only for the words that it was chosen for: without a script words change alone."""
    found = {}
    for slot in roster["slots"]:
        key = key_of(slot)
        if "plain" in form:
            found[key] = Typed(str(form.get(f"pick.{key}", "")))
            continue
        name = str(form.get(f"name.{key}", ""))
        person_id, _, chosen_for = str(form.get(f"who.{key}", "")).partition(" ")
        found[key] = Typed(person_id if name and chosen_for == name else "", name)
    return found


async def resolved(typed: Mapping[str, Typed]) -> tuple[dict[str, Typed], dict[str, str]]:
    """Whoever is meant where only words were typed: the one of just that name or number, or the only one found. Answers what could not be
    told, too: nobody, or several."""
    open_ = {key: one for key, one in typed.items() if one.name and not one.person_id}
    asked = list(open_.items())[:FOUND_AT_MOST]
    answers = await gather(*(_search(key, one.name) for key, one in asked))
    found, unclear = dict(typed), {}
    for (key, one), people in zip(asked, answers, strict=True):
        exact = [person for person in people if one.name in (person["name"], person["number"])] or people
        if len(exact) == 1:
            found[key] = Typed(exact[0]["id"], exact[0]["name"])
        else:
            unclear[key] = "several_found" if exact else "nobody_found"
    return found, unclear


def checked(answer: Mapping[str, Any] | None, unclear: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """What is wrong with each place, by its key: what duty said of it, and words of which nobody can tell whom they mean."""
    found = {key_of(one): one["problems"] for one in (answer or {}).get("problems", ())}
    return found | {key: [{"code": code, "params": {}}] for key, code in unclear.items()}


async def _search(key: str, text: str) -> list[dict[str, Any]]:
    post_id, on, _ = key.split(".")
    answer = await duty.try_get("/people", post_id=post_id, on=on, q=text[:100])
    return [one["person"] for one in answer["items"]] if answer else []


def wishes(roster: Mapping[str, Any], typed: Mapping[str, Typed]) -> list[dict[str, Any]]:
    """The places in which somebody else stands than is saved."""
    before = standing(roster)
    return [
        {"post_id": slot["post_id"], "on": slot["on"], "place": slot["place"], "person_id": typed[key].person_id or None}
        for slot in roster["slots"]
        if typed[key := key_of(slot)].person_id != before[key].person_id
    ]


def wrong_by_place(problem: Mapping[str, Any] | None, sent: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What a refusal says of each place, by its key."""
    found: dict[str, list[dict[str, Any]]] = {}
    for error in (problem or {}).get("errors") or []:
        parts = str(error["field"]).split(".", 1)
        if parts[0] != "slots" or len(parts) < 2:
            continue
        number, _, rest = parts[1].partition(".")
        key = key_of(sent[int(number)]) if number.isdecimal() and rest and int(number) < len(sent) else parts[1]
        found.setdefault(key, []).append({"code": error["code"], "params": error.get("params") or {}})
    return found


def findings(
    roster: Mapping[str, Any], typed: Mapping[str, Typed], problems: Mapping[str, Iterable[Mapping[str, Any]]]
) -> dict[str, list[Finding]]:
    """The empty places, and those with something wrong, in the order of the grid."""
    posts = {post["id"]: post["name"] for post in roster["posts"]}
    gaps, clashes = [], []
    for slot in roster["slots"]:
        key = key_of(slot)
        reasons = [dict(one) for one in problems.get(key, ()) if one["code"] != "gap"]
        one = Finding(key, posts[slot["post_id"]], slot["on"], slot["place"], typed[key].name, reasons)
        if reasons:
            clashes.append(one)
        elif not typed[key].person_id:
            gaps.append(one)
    return {"gaps": gaps, "clashes": clashes}


def saved_problems(roster: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What is wrong with the places as they are saved."""
    return {key_of(slot): slot["problems"] for slot in roster["slots"] if slot["problems"]}


def _of_assignment(reason: Mapping[str, Any]) -> bool:
    return bool(reason["code"] == "overlap" and reason["params"].get("kind") == "assignment")


def assignments_met(found: Mapping[str, list[Finding]]) -> list[dict[str, Any]]:
    """The assignments that duties meet, by name: what can be freed in one step."""
    met = {}
    for one in found["clashes"]:
        for params in (reason["params"] for reason in one.reasons if _of_assignment(reason)):
            met[params["ref"]] = {name: params[name] for name in ("ref", "starts_at", "ends_at")} | {"person": one.person}
    return list(met.values())


def only_assignments(found: Mapping[str, list[Finding]]) -> bool:
    """Would the week be in order if the assignments that it meets were freed? Hours and rest count with them, and go with them."""
    return not found["gaps"] and all(
        any(_of_assignment(reason) for reason in one.reasons)
        and all(_of_assignment(reason) or reason["code"] in ENDS_WITH_THEM for reason in one.reasons)
        for one in found["clashes"]
    )
