"""Loads the reference case into an empty demo through the public API alone, as an institution's own people would."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from infra.folder import write_private
from infra.reference import cast, week
from infra.reference import deployment as plan
from infra.reference.door import Door, Json, NotLoaded, all_rows, until
from infra.reference.sheet import staff_list
from infra.stage import health
from infra.stage.duties import Duties
from infra.stage.players import Players, sign_in, together
from infra.stage.story import Story
from shared.settings import settings

SET_UP_AT = datetime.fromisoformat("2021-07-30T09:00:00+08:00")
STANDS_AT = datetime.fromisoformat("2021-08-05T10:20:00+08:00")
FILE_NAME = "澜江学院人员名册.xlsx"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FIRST = (cast.ADMINISTRATOR, cast.HEALTH_RECORDS)  # they must be there before anyone can be given a role
Say = Callable[[str], None]


def load(base_url: str, setup_code: str, at: datetime = STANDS_AT, say: Say = print) -> bool:
    """Load the reference case as it stood at a moment; what comes after it is planned, no more. False when the system has one already.

    Interrupted half way, it goes on where it was."""
    with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as http:
        anyone = Door(http)
        needed = anyone.get("/identity/setup")["needed"]
        roles = {} if needed else _cast(anyone)
        if "duty_planner" in roles and Duties(Players(anyone, {cast.DUTY_PLANNER: roles["duty_planner"]})).are_complete():
            return False
        if not needed and not {"administrator", "health"} <= set(roles):
            raise NotLoaded("loading was interrupted before anyone had a role; remove the demo's data folder and start again")
        anyone.put("/identity/demo/clock", {"at": SET_UP_AT.isoformat()})
        if needed:
            say(f"{cast.INSTITUTION}: set-up")
            roles = _set_up(anyone, setup_code)
        administrator, records = sign_in(anyone, roles["administrator"]), sign_in(anyone, roles["health"])
        departments = _departments(administrator)
        say("staff list: reading")
        _take_over(records, say)
        ids = _ids(records)
        say("roles, heads and reporters")
        _roles(administrator, records, ids)
        _answerable(records, administrator, ids)
        players = Players(anyone, ids)
        _play(players, at, say)
        say(f"{cast.INSTITUTION}: {len(ids)} people in {len(departments)} departments, at {at:%Y-%m-%d %H:%M}")
        return True


def _play(players: Players, at: datetime, say: Say) -> None:
    """What happened up to a moment. What does not hang together is done side by side."""
    duties, story = Duties(players), Story(players)
    say("duties: two weeks published")
    players.stand_at(week.PUBLISHED_AT)
    together((duties.publish, partial(health.dose, players)))
    say("corrections, exemptions, statements; teams and shifts")
    players.stand_at(plan.FORMED_AT)
    of_health = (partial(part, players) for part in (health.correct, health.exempt, health.state, health.remark))
    together((*of_health, partial(story.play, plan.FORMED_AT - timedelta(minutes=1), plan.FORMED_AT)))
    say("orders, attendance and samples")
    story.play(plan.FORMED_AT, at)
    players.stand_at(at)
    duties.draft()  # last: it is the sign that all is there


def _cast(anyone: Door) -> dict[str, str]:
    """Role -> person, as the demo's sign-in page shows them."""
    players = sorted(anyone.get("/identity/demo/cast")["items"], key=lambda player: player["name"] in FIRST)  # of two, the first one counts
    return {player["role"]: player["person_id"] for player in players}


def _set_up(anyone: Door, setup_code: str) -> dict[str, str]:
    """The set-up's administrator makes the first two people and gives them their roles; the setup code stands in for a second person.

    The password is forgotten at once: in a demo one signs in by a button.
    """
    account = {"username": "admin", "name": "演示管理员", "password": secrets.token_urlsafe(24)}
    session = anyone.post("/identity/setup", {"code": setup_code, **account}, once=f"setup {time.time_ns()}")
    first = anyone.as_(session["secret"])
    institution = first.get("/personnel/institution")
    first.put("/personnel/institution", {"name": cast.INSTITUTION, "version": institution["version"]})
    people = _first_people(first, _departments(first))
    waits = _give(first, people[cast.HEALTH_RECORDS], "health")
    approval = {"verdict": "approved", "setup_code": setup_code}
    first.post(f"/identity/roles/{waits['id']}/approval", approval, once="first health records")
    _give(first, people[cast.ADMINISTRATOR], "administrator")
    return {"health": people[cast.HEALTH_RECORDS], "administrator": people[cast.ADMINISTRATOR]}


def _departments(administrator: Door) -> dict[str, str]:
    """Name -> id of the nine departments."""
    known = {item["name"]: item["id"] for item in all_rows(administrator, "/personnel/departments")}
    for department in cast.DEPARTMENTS:
        if department.name not in known:
            made = administrator.post("/personnel/departments", {"name": department.name}, once=f"department {department.name}")
            known[department.name] = made["id"]
    return known


def _first_people(administrator: Door, departments: dict[str, str]) -> dict[str, str]:
    """The administrator's own person, and health records."""
    found = {}
    for name in FIRST:
        someone = cast.person(name)
        body = {
            "number": someone.number,
            "name": someone.name,
            "department_id": departments[someone.department],
            "employment": someone.employment,
            "joined_on": someone.joined_on.isoformat(),
        }
        found[name] = administrator.post("/personnel/people", body, once=f"person {someone.number}")["id"]
    return found


def _give(giver: Door, person_id: str, role: str) -> Json:
    """Give a role, or ask for it where it takes two. Identity may not have heard of the person yet, so a 404 is asked again."""
    return giver.post("/identity/roles", {"person_id": person_id, "role": role}, once=f"role {role} {person_id}", patient=(404,))


def _roles(administrator: Door, records: Door, ids: dict[str, str]) -> None:
    """Who plans duties and who coordinates; two leaders and a second person for health records, whom the first one approves."""
    for name, role in ((cast.DUTY_PLANNER, "duty_planner"), (cast.COORDINATOR, "coordinator")):
        _give(administrator, ids[name], role)
    for name, role in ((cast.LEADER, "leader"), (cast.SECOND_LEADER, "leader"), (cast.SECOND_HEALTH_RECORDS, "health")):
        waits = _give(administrator, ids[name], role)
        records.post(f"/identity/roles/{waits['id']}/approval", {"verdict": "approved"}, once=f"{role} {name}")


def _take_over(records: Door, say: Say) -> None:
    """The whole staff list through the import, as HR would: upload, look, commit."""
    begun = [one for one in records.get("/personnel/imports")["items"] if one["state"] in {"reading", "ready", "committing", "committed"}]
    started = (
        begun[0] if begun else records.upload("/personnel/imports", (FILE_NAME, staff_list(), XLSX), once=f"staff list {time.time_ns()}")
    )
    path = f"/personnel/imports/{started['id']}"
    seen = _until_state(records, path, {"ready", "committing", "committed"})
    counts = seen["counts"]
    if counts["refused"] or counts["rows"] != len(cast.people()):
        raise NotLoaded(f"staff list: {counts['refused']} of {counts['rows']} rows refused, {len(cast.people())} expected")
    if seen["state"] == "ready":
        say(f"staff list: {counts['rows']} rows, committing")
        records.post(f"{path}/commit", {}, once=f"commit {started['id']}")
    _until_state(records, path, {"committed"})


def _until_state(door: Door, path: str, wanted: set[str]) -> Json:
    seen: Json = {}

    def there() -> bool:
        nonlocal seen
        seen = door.get(path)
        if seen["state"] in {"failed", "abandoned"}:
            raise NotLoaded(f"staff list: the import {seen['state']}: {seen.get('reason') or seen.get('code') or ''}")
        return seen["state"] in wanted

    until(there, "the import does not end")
    return seen


def _ids(records: Door) -> dict[str, str]:
    """Name -> id; names are unique in the reference case."""
    found = {row["name"]: row["id"] for row in all_rows(records, "/personnel/people")}
    if missing := [someone.name for someone in cast.people() if someone.name not in found]:
        raise NotLoaded(f"people: {len(missing)} of the staff list are not there, {missing[0]} first")
    return found


def _answerable(records: Door, administrator: Door, ids: dict[str, str]) -> None:
    """Heads, reporters and deputies. Nobody gives a department to themselves: the administrator enters the one of health records."""
    for row in all_rows(records, "/personnel/departments"):
        department = next((known for known in cast.DEPARTMENTS if known.name == row["name"]), None)
        if department is None:
            continue
        wanted = {"head_id": ids[department.head], "reporter_id": ids[department.reporter], "deputy_id": ids[department.deputy]}
        giver = administrator if ids[cast.HEALTH_RECORDS] in wanted.values() else records
        giver.patch(f"/personnel/departments/{row['id']}", {**wanted, "version": row["version"]})


def main() -> None:
    """Load the reference case into the demo at an address; the setup code comes as DEMO_SETUP_CODE."""
    asked = argparse.ArgumentParser(prog="python -m infra.demo", description=main.__doc__)
    asked.add_argument("--url", default=f"http://127.0.0.1:{settings().port}", help="the gateway's address")
    asked.add_argument("--at", default=os.environ.get("AT") or STANDS_AT.isoformat(), help="the local moment to stand at: 2021-08-05T10:20")
    asked.add_argument("--played", type=Path, help="a file for the moment until which all was played")
    given = asked.parse_args()
    try:
        at = datetime.fromisoformat(given.at)
    except ValueError:
        sys.exit("AT must be a moment like 2021-08-05T10:20.")
    try:
        code = settings().demo_setup_code.get_secret_value()
        at = at if at.tzinfo else at.replace(tzinfo=plan.ZONE)
        loaded = load(given.url, code, at, lambda line: print(line, flush=True))
    except NotLoaded as sentence:
        sys.exit(f"the demo's data could not be loaded: {sentence}")
    if not loaded:
        print("the demo has its data already", flush=True)
    elif given.played:
        write_private(given.played, at.isoformat())


if __name__ == "__main__":
    main()
