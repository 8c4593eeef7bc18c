"""Every principal at every door: the policy decides who comes in, and what is out of reach is never shown."""

import io
import zipfile
from collections.abc import Sequence
from datetime import date, timedelta

import httpx
import pytest

from services.identity.tables import Account, Activation, Client, ClientKey, Look, Role, Session, SignIn
from services.personnel.tables import Dose, Exemption, Import, ImportRow, Remark, Statement
from shared.auth import Caller
from shared.clock import now, real_now
from shared.house import Job
from shared.policy import ACTIONS
from tests.doors import Door, Doors
from tests.people import HEALTH, PEOPLE, Person, id_of
from tests.services.deployment import seed_dispatch
from tests.services.duties import seed_duty
from tests.services.institution import settle
from tests.services.let_in import tell
from tests.services.matrix import (
    CAST,
    DOCUMENT,
    DOUBLES,
    EVERYBODYS,
    KEPT,
    NO_ROWS,
    ORDINARY,
    SHOWS_NAMES,
    TARGETS,
    Route,
    Wish,
    document,
    every_route,
    example,
    gets_in,
    ids_in_path,
    missing_examples,
    naming,
    routes_of,
    row_of,
    uuid_of,
    within,
    words_of,
)
from tests.services.notified import seed_notifications


async def seed_personnel(personnel: Door) -> None:
    """The cast is there, and everybody has a row of each kind."""
    await settle(personnel)
    await seed_records(personnel)


async def seed_records(personnel: Door) -> None:
    """Everybody has a row of each kind."""
    async with personnel.rows() as tx:
        for one in PEOPLE:
            said = {"person_id": one.id, "programme": "covid19"}
            entered = {"entered_by": HEALTH.id, "entered_by_name": HEALTH.name, "entered_at": now()}
            tx.add(
                Dose(
                    id=uuid_of("dose_id", one),
                    **said,
                    product="sinovac",
                    given_on=date(2021, 5, 6),
                    source="own_record",
                    superseded=False,
                    withdrawn=False,
                    **entered,
                )
            )
            recorded = {"recorded_by": id_of("somebody"), "recorded_by_name": "somebody", "recorded_at": now()}
            tx.add(
                Exemption(
                    id=uuid_of("exemption_id", one),
                    **said,
                    kind="permanent",
                    from_on=date(2021, 8, 1),
                    issuer="省人民医院",
                    certificate=True,
                    reason=f"{one.name}的病史",
                    state="pending",
                    **recorded,
                )
            )
            tx.add(Statement(id=uuid_of("statement_id", one), **said, kind="declined", on=date(2021, 8, 1), note=one.name, **recorded))
            tx.add(Remark(id=uuid_of("remark_id", one), person_id=one.id, about="dose", text=f"{one.name}的意见", written_at=now()))
            brought = {"uploaded_by": HEALTH.id, "uploaded_by_name": HEALTH.name, "uploaded_at": now()}
            kept = {"state": "ready", "choices": {}, "found": {}, "counts": {}}
            tx.add(Import(id=uuid_of("import_id", one), file_name=f"{one.name}.csv", **kept, **brought))
            await tx.flush()
            told = {"number": one.number, "name": one.name, "parsed": {}, "changes": [], "errors": [], "warnings": []}
            tx.add(ImportRow(import_id=uuid_of("import_id", one), row_no=1, outcome="same", person_id=one.id, **told))
    await seed_jobs(personnel)


async def seed_jobs(door: Door) -> None:
    """Everybody has begun a job."""
    async with door.rows() as tx:
        for one in PEOPLE:
            begun = {"started_by": uuid_of("account_id", one), "person_id": one.id, "created_at": now()}
            tx.add(Job(id=uuid_of("job_id", one), kind="told", state="done", input={}, result={"name": one.name}, **begun))


async def seed_identity(identity: Door) -> None:
    """Everybody was let in, and has a row of each kind."""
    await tell(identity)
    async with identity.rows() as tx:
        for one in PEOPLE:
            account_id = uuid_of("account_id", one)
            tx.add(Account(id=account_id, person_id=one.id, name=one.name, created_at=now()))
            await tx.flush()
            session = {"kind": "phone", "device": f"{one.name}的手机", "address": "10.0.0.1", "signed_in_at": now()}
            alive = {"last_seen_at": real_now(), "expires_at": real_now() + timedelta(days=30)}
            tx.add(Session(id=uuid_of("session_id", one), account_id=account_id, secret_hash=one.number.encode(), **session, **alive))
            seen = {"outcome": "in", "kind": "phone", "device": f"{one.name}的手机", "address": "10.0.0.1"}
            tx.add(SignIn(at=now(), account_id=account_id, **seen))
            asked = {"asked_by": id_of("somebody"), "asked_at": now()}
            tx.add(Role(id=uuid_of("role_id", one), person_id=one.id, role="leader", state="waiting", **asked))
            waits = {"state": "waiting", "wrong_count": 0, **asked}
            tx.add(Activation(id=uuid_of("activation_id", one), person_id=one.id, **waits))
            client_id = uuid_of("client_id", one)
            until = {"expires_on": date(2022, 7, 31)}
            tx.add(Client(id=client_id, name=f"{one.name}的系统", scopes=["people:read"], state="open", version=1, **until, **asked))
            await tx.flush()
            made = {"made_by": id_of("somebody"), "made_at": now()}
            tx.add(ClientKey(id=row_of("key_id", one), client_id=client_id, secret_hash=one.number.encode(), state="open", **made, **until))
            looker = {"looker_id": one.id, "looker_name": one.name, "account_id": account_id}
            tx.add(Look(looked_at=now(), **looker, what="record", person_ids=[one.id], people_count=1, filter={}, purpose=""))
    await seed_jobs(identity)


async def seed_dispatch_and_jobs(dispatch: Door) -> None:
    """Everybody leads something, is on a shift, and has begun a job."""
    await seed_dispatch(dispatch)
    await seed_jobs(dispatch)


async def seed_duty_and_jobs(duty: Door) -> None:
    """Everybody has a row of each kind in duty, and has begun a job."""
    await seed_duty(duty)
    await seed_jobs(duty)


async def seed_notifications_and_jobs(notifications: Door) -> None:
    """Everybody has a row of each kind in notifications, and has begun a job."""
    await seed_notifications(notifications)
    await seed_jobs(notifications)


@pytest.fixture(params=["identity", "personnel", "duty", "dispatch", "notifications"])
async def door(request: pytest.FixtureRequest, doors: Doors) -> Door:
    """One service, with a row of everybody."""
    seeds = {"identity": seed_identity, "personnel": seed_personnel, "duty": seed_duty_and_jobs, "dispatch": seed_dispatch_and_jobs}
    seeds["notifications"] = seed_notifications_and_jobs
    await seeds[request.param](getattr(doors, request.param))
    found: Door = getattr(doors, request.param)
    return found


async def answer_to(door: Door, route: Route, wish: Wish, caller: Caller) -> httpx.Response:
    return await door.request(route.method, wish.path, caller, **wish.given)


def text_of(answer: httpx.Response) -> str:
    """What an answer says; of a workbook, what stands in its cells."""
    if "spreadsheet" not in answer.headers.get("content-type", ""):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        return "\n".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))


def code_of(answer: httpx.Response) -> str:
    """The code of a refusal; empty otherwise."""
    return str(answer.json().get("code", "")) if answer.headers.get("content-type") == "application/problem+json" else ""


def shown_out_of_reach(route: Route, caller: Caller, answer: httpx.Response, sent: Wish, people: Sequence[Person] = ORDINARY) -> list[str]:
    """Whom the answer names though the policy does not let the caller see them; what the caller sent is no news."""
    text, known = text_of(answer), repr(sent)
    foreign = [one for one in people if not within(route, caller, one)]
    return [one.name for one in foreign if any(word in text and word not in known for word in words_of(one))]


def judged(route: Route, who: str, caller: Caller, answer: httpx.Response) -> str:
    """What is wrong with the answer that the doors gave; empty when it is as the policy says."""
    wanted, got, code = gets_in(route, caller), answer.status_code, code_of(answer)
    asked = f"{route.name} as {who}: {got} {code}"
    if got >= 500:
        return f"{asked}: our own mistake"
    if wanted == 401:
        return "" if (got, code) == (401, "not_signed_in") else f"{asked} instead of 401"
    if wanted == 403:
        return "" if (got, code) == (403, "not_allowed") else f"{asked} instead of 403"
    opened = any(one.open_why for one in route.doors)  # behind an open door a secret may still be wrong: 401
    return f"{asked} though the policy allows it" if got == 403 or (got == 401 and not opened) else ""


def test_every_route_has_an_example() -> None:
    missing = [one for route in every_route() for one in missing_examples(route)]

    assert missing == [], "give these an example (Path(examples=[…]), json_schema_extra of the body): the API's readers need one too"


def test_every_id_in_a_path_is_the_id_of_rows_that_are_tried() -> None:
    names = {name for route in every_route() for name in ids_in_path(route)}
    tried = {"person_id", "department_id", "dose_id", "exemption_id", "remark_id", "import_id", "job_id"}
    tried |= {"post_id", "gap_id", "feed_id"}
    tried |= {"notice_id", "record_id", "alert_id", "webhook_id"}
    tried |= {"team_id", "operation_id", "site_id", "shift_id", "assignment_id", "place_id"}
    tried |= {"account_id", "session_id", "role_id", "activation_id", "client_id", "key_id"}

    assert names - tried == set(), f"seed rows for these in this module, or say in NO_ROWS why there are none ({NO_ROWS})"


async def wrong_at_the_doors(door: Door, routes: Sequence[Route]) -> tuple[list[str], int]:
    """Everybody plays the example of every route: what was answered otherwise than the policy says, and how much was asked."""
    wrong, count = [], 0
    for route in routes:
        wish = example(route)
        opened = all(one.open_why for one in route.doors)
        for who in ("nobody", "staff", "health", "client without scopes") if opened else CAST:
            caller = CAST[who]
            answer = await answer_to(door, route, wish, caller)
            count += 1
            if said := judged(route, who, caller, answer):
                wrong.append(said)
            if route.name not in SHOWS_NAMES:
                names = shown_out_of_reach(route, caller, answer, wish)
                wrong += [f"{route.name} shows {name} to {who}" for name in names]
    return wrong, count


async def wrong_in_the_rows(door: Door, routes: Sequence[Route]) -> tuple[list[str], dict[str, int]]:
    """Whoever comes in names own and foreign rows: what was shown or done out of reach, and how much was asked."""
    wrong, counts = [], {"held": 0, "foreign": 0}
    for route in routes:
        for who, caller in ((who, caller) for who, caller in CAST.items() if who != "second health"):
            if gets_in(route, caller) != 200 or all(one.open_why for one in route.doors):
                continue  # the doors are tried above
            if route.service == "identity" and who in DOUBLES:
                continue  # whose sessions and rows another caller has ended already
            own = [one for one in PEOPLE if one.id == caller.person_id and one not in TARGETS]
            for person in (*TARGETS, *own):
                held = within(route, caller, person) and (route.name, who) not in KEPT
                for where, wish in naming(route, person):
                    answer = await answer_to(door, route, wish, caller)
                    counts["held" if held else "foreign"] += 1
                    asked = f"{route.name} as {who} with the ids of {person.number} in its {where}: {answer.status_code} {code_of(answer)}"
                    if answer.status_code >= 500:
                        wrong.append(asked)
                    if held and where == "path" and answer.status_code in (401, 403, 404):
                        wrong.append(f"{asked}, though it is within reach")
                    if not held and where == "path" and route.name not in EVERYBODYS and answer.status_code not in (403, 404):
                        wrong.append(f"{asked}, though it is out of reach")
                    if not held and where == "body" and answer.status_code < 400:
                        wrong.append(f"{asked}, though it is out of reach")
                    if route.name not in SHOWS_NAMES:
                        names = shown_out_of_reach(route, caller, answer, wish)
                        wrong += [f"{asked} shows {name}" for name in names]
    return wrong, counts


async def test_the_policy_decides_who_comes_in(door: Door) -> None:
    wrong, count = await wrong_at_the_doors(door, routes_of(door.app))

    assert not wrong, "\n".join(wrong)
    assert count > 300, "hardly anything was asked"


async def test_what_is_out_of_reach_is_not_there(door: Door) -> None:
    wrong, counts = await wrong_in_the_rows(door, routes_of(door.app))

    assert not wrong, "\n".join(wrong)
    assert min(counts.values()) > 30, f"hardly anything was asked: {counts}"


def test_the_document_says_what_the_policy_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(every_route()), "write it anew: python -m tests.services.matrix"


def test_an_action_without_a_route_opens_nothing() -> None:
    asked = {door.action for route in every_route() for door in route.doors}
    read_by_rows = {"contact.read", "standing.read", "assignment.override", "post.entrust"}  # decide over a row, behind other doors

    assert set(ACTIONS) - asked == read_by_rows
