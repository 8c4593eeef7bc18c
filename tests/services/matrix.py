"""Who knocks at which door with what: every route with its example, the cast, the rows they may name, and what the policy says of it.

`python -m tests.services.matrix` writes docs/permissions.md anew.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from shared.auth import NOBODY, Caller, Door, doors_of
from shared.policy import ACTIONS, ALL, DEPARTMENT, DERIVED_ROLES, GRANTED_ROLES, OWN, SCOPES, Extent
from tests.people import (
    ADMINISTRATOR,
    AGENCY_WORKER,
    COORDINATOR,
    DUTY_PLANNER,
    GU_CHANGTING,
    HEAD,
    HEALTH,
    JIANG_CAIWEI,
    LEADER,
    LIANG_YUAN,
    OTHER_HEAD,
    PAN_XIANGYE,
    REPORTER,
    SECOND_HEALTH,
    STAFF,
    Person,
    client,
    id_of,
)

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"

CAST: Mapping[str, Caller] = {
    "nobody": NOBODY,
    "staff": STAFF,
    "agency worker": AGENCY_WORKER,
    "reporter": REPORTER,
    "head": HEAD,
    "head of another department": OTHER_HEAD,
    "health": HEALTH,
    "second health": SECOND_HEALTH,
    "leader": LEADER,
    "duty planner": DUTY_PLANNER,
    "coordinator": COORDINATOR,
    "administrator": ADMINISTRATOR,
    "administrator without a person": Caller(
        kind="person", account_id=id_of("account-set-up"), name="administrator", roles=frozenset({"administrator"})
    ),
    **{f"client {scope}": client(scope, scope) for scope in SCOPES},
    "client without scopes": client("none"),
}

DOUBLES = ("coordinator", "duty planner")
"""They are persons who act as reporter and administrator too."""
ORDINARY = (LIANG_YUAN, JIANG_CAIWEI, GU_CHANGTING, PAN_XIANGYE)  # hold no office, so their names stand nowhere but in their own rows
TARGETS = (LIANG_YUAN, JIANG_CAIWEI, GU_CHANGTING)

NEEDS_ALL = {"identity GET /looks": "everybody's looks; one's own are /looks/mine"}
SHOWS_NAMES = {
    "identity GET /demo/cast": "the buttons of the demo's sign-in page",
    "dispatch GET /demo/cast": "the buttons of the demo's sign-in page",
    "dispatch GET /operations/{operation_id}/days/{on}": "who leads a shift is no secret; of the others one sees oneself (test_shifts.py)",
    "dispatch GET /shifts/{shift_id}/walkons": "who leads a shift must find whoever stands there unplanned (test_arrivals.py)",
}
NO_ROWS = {"code": "a secret, not an id", "secret": "a secret, not an id", "monday": "a date, not an id", "on": "a date, not an id"}
EVERYBODYS = {
    "dispatch POST /shifts/{shift_id}/signup": "a shift is everybody's to see; who signs up is the caller",
    "dispatch GET /operations/{operation_id}/days/{on}": "an operation is everybody's to see; of its people one sees oneself",
    "dispatch GET /shifts/{shift_id}/corrections": "a shift is everybody's to see; of its people one sees oneself (test_corrections.py)",
}
"""Routes whose path names nobody's own row, though the caller reaches one's own only."""
KEPT = {
    (
        "notifications GET /shifts/{shift_id}/leader_number",
        "coordinator",
    ): "who says who leads could read anybody's (test_leader_numbers.py)",
}
"""Routes that do not show somebody even their own row, and why."""
SAFE = ("GET", "HEAD")


@dataclass(frozen=True)
class Wish:
    """A request without its caller."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    files: Mapping[str, Any] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """As the HTTP client wants it."""
        found: dict[str, Any] = {"params": dict(self.params), "headers": dict(self.headers)}
        if self.files is not None:
            return found | {"files": dict(self.files), "data": self.body}
        return found | ({"json": self.body} if self.body is not None else {})


@dataclass(frozen=True)
class Route:
    """One operation of a service."""

    service: str
    method: str
    path: str
    doors: tuple[Door, ...]
    operation: Mapping[str, Any]
    schemas: Mapping[str, Any]
    endpoint: Any

    @property
    def name(self) -> str:
        """As one speaks of it: `personnel GET /people`."""
        return f"{self.service} {self.method} {self.path}"

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        """Path, query and header parameters as documented."""
        return list(self.operation.get("parameters", []))

    @property
    def body(self) -> tuple[str, Mapping[str, Any]] | None:
        """Media type and its description."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return next(iter(content.items()), None)

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema that a reference means."""
        return self.schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema

    @property
    def body_schema(self) -> Mapping[str, Any]:
        """What the body must be; empty without one."""
        return self.resolved(self.body[1]["schema"]) if self.body else {}


def routes_of(app: FastAPI) -> list[Route]:
    """Every documented route, as the start check walks them."""
    document = app.openapi()
    schemas = document.get("components", {}).get("schemas", {})
    found = []
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in sorted(context.methods or ()):
            operation = document["paths"][context.path][method.lower()]
            doors = tuple(doors_of(route.dependant))
            found.append(Route(app.state.name, method, str(context.path), doors, operation, schemas, route.endpoint))
    return sorted(found, key=lambda one: one.method not in SAFE)  # what changes rows comes after what reads them


def example_of(described: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """The first example of a parameter or a body, wherever OpenAPI lets it stand; None without one."""
    for place in (described, schema):
        if "example" in place:
            return place["example"]
        if examples := place.get("examples"):
            first = next(iter(examples.values() if isinstance(examples, Mapping) else examples))
            return first["value"] if isinstance(first, Mapping) and set(first) <= {"value", "summary", "description"} else first
    return None


def missing_examples(route: Route) -> list[str]:
    """What a caller could not guess: path ids and bodies without an example."""
    gone = [
        f"{route.name}: {one['in']} {one['name']}"
        for one in route.parameters
        if (one["in"] == "path" or one.get("required")) and example_of(one, one["schema"]) is None
    ]
    if route.body and example_of(route.body[1], route.body_schema) is None:
        gone.append(f"{route.name}: body")
    return gone


def example(route: Route) -> Wish:
    """The request as the document gives it."""
    path, params, headers = route.path, {}, {}
    for one in route.parameters:
        value = example_of(one, one["schema"])
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", str(value))
        elif one["in"] == "query" and value is not None:
            params[one["name"]] = value
        elif one["in"] == "header" and value is not None and one["name"] != "authorization":
            headers[one["name"]] = str(value)
    if not route.body:
        return Wish(path, params, headers)
    body = example_of(route.body[1], route.body_schema)
    if route.body[0] != "multipart/form-data":
        return Wish(path, params, headers, body)
    files = {name: (f"{name}.csv", value) for name, value in body.items() if name == "file"}
    return Wish(path, params, headers, {name: value for name, value in body.items() if name not in files}, files)


def row_of(name: str, person: Person) -> str:
    """The id of this person's row of a kind; `seeded` puts the rows there."""
    if name in ("person_id", "looker_id", "head_id", "reporter_id", "deputy_id", "leader_id", "member_id"):
        return str(person.id)
    if name in ("department_id", "parent_id"):
        return str(person.department.id)
    if name == "account_id":
        return str(id_of(f"account-{person.number}"))
    if name == "session_id":
        return str(id_of(f"session-{person.number}"))
    if name == "key_id":
        return f"k{person.number}"
    return str(id_of(f"{name}-{person.number}"))


def _is_id(schema: Mapping[str, Any]) -> bool:
    options = [schema, *schema.get("anyOf", [])]
    return any(one.get("format") == "uuid" for one in options)


def _are_ids(schema: Mapping[str, Any]) -> bool:
    options = [schema, *schema.get("anyOf", [])]
    return any(one.get("type") == "array" and one.get("items", {}).get("format") == "uuid" for one in options)


def ids_in_path(route: Route) -> list[str]:
    """The ids that a path names."""
    return [name for name in re.findall(r"{(\w+)}", route.path) if name not in NO_ROWS]


def naming(route: Route, person: Person) -> Iterator[tuple[str, Wish]]:
    """The example again and again, each time with the ids of this person's rows in another place: path, query, body."""
    plain = example(route)
    if names := ids_in_path(route):
        path = route.path
        for name in names:
            path = path.replace(f"{{{name}}}", row_of(name, person))
        for one in route.parameters:
            if one["in"] == "path":  # what is left names no row
                path = path.replace(f"{{{one['name']}}}", str(example_of(one, one["schema"])))
        plain = replace(plain, path=path)
        yield "path", plain
    for one in route.parameters:
        if one["in"] == "query" and (_is_id(one["schema"]) or _are_ids(one["schema"])):
            yield "query", replace(plain, params={**plain.params, one["name"]: row_of(one["name"], person)})
    properties, required = route.body_schema.get("properties", {}), route.body_schema.get("required", [])
    fields = {name: _are_ids(schema) for name, schema in properties.items() if _is_id(schema) or _are_ids(schema)}
    others = {name for name in (*fields, "person_number") if name not in required}
    for name, many in fields.items():
        kept = {key: value for key, value in plain.body.items() if key not in others}
        row = row_of(name.removesuffix("s") if many else name, person)
        yield "body", replace(plain, body={**kept, name: [row] if many else row})


def granted(action: str, caller: Caller) -> frozenset[Extent]:
    """What the policy grants the caller, by roles and scopes."""
    return frozenset(ACTIONS[action][held] for held in caller.roles | caller.scopes if held in ACTIONS[action])


def gets_in(route: Route, caller: Caller) -> int:
    """What the doors answer by the policy: 401, 403, or 200 for whoever may come in."""
    for door in route.doors:
        if door.open_why:
            continue
        if caller.kind == "nobody":
            return 401
        if door.action is None:
            continue
        found = granted(door.action, caller)
        department, own = DEPARTMENT in found and (caller.departments | caller.reported), OWN in found and caller.person_id
        if ALL not in found and (route.name in NEEDS_ALL or not (department or own)):
            return 403
    return 200


def within(route: Route, caller: Caller, person: Person) -> bool:
    """Does the policy let the caller see this person's rows through this route?"""
    actions = [door.action for door in route.doors if door.action]
    if not actions:
        return caller.person_id == person.id and not any(door.open_why for door in route.doors)
    for action in actions:
        found = granted(action, caller)
        department = DEPARTMENT in found and person.department.id in caller.departments | caller.reported
        own = OWN in found and caller.person_id == person.id
        if not (ALL in found or department or own):
            return False
    return True


def words_of(person: Person) -> tuple[str, ...]:
    """By which a person is recognised in an answer."""
    return person.name, person.number, person.phone


def rights() -> list[str]:
    """The two tables of the policy."""
    lines = []
    for title, held in (("People", (*DERIVED_ROLES, *GRANTED_ROLES)), ("API clients", SCOPES)):
        lines += [f"## {title}", "", "| action | " + " | ".join(held) + " |", "|---" * (len(held) + 1) + "|"]
        for action, grants in ACTIONS.items():
            if any(one in grants for one in held):
                lines.append(f"| `{action}` | " + " | ".join(str(grants.get(one, "")) for one in held) + " |")
        lines.append("")
    return lines


def document(routes: list[Route]) -> str:
    """docs/permissions.md."""
    lines = [
        "# Who may do what",
        "",
        "Written by `python -m tests.services.matrix` from `shared/policy.py` and the doors of the routes; do not edit.",
        "Everything is denied unless it stands here. Roles add up. *own*: the row is about the caller; *department*: the person",
        "belongs to a department that the caller answers for, or to one below it; *all*: every row. Every person holds",
        "`everyone`; `head` and `reporter` follow from the departments; `health`, `leader` and `administrator` are given.",
        "A row out of reach answers 404, as if it were not there.",
        "",
        *rights(),
        "## Routes",
        "",
        "| route | asks for |",
        "|---|---|",
    ]
    for route in sorted(routes, key=lambda one: (one.service, one.path, one.method)):
        asks = []
        for door in route.doors:
            if door.open_why:
                asks.append(f"nothing: {door.open_why}")
            else:
                asks.append(f"`{door.action}`" if door.action else "a caller")
        if route.name in NEEDS_ALL:
            asks.append(f"*all* ({NEEDS_ALL[route.name]})")
        lines.append(f"| {route.service} `{route.method} {route.path}` | {', '.join(asks)} |")
    return "\n".join([*lines, ""])


def every_route() -> list[Route]:
    """The routes of all services."""
    from services.dispatch.app import app as dispatch
    from services.duty.app import app as duty
    from services.identity.app import app as identity
    from services.notifications.app import app as notifications
    from services.personnel.app import app as personnel

    return [*routes_of(identity), *routes_of(personnel), *routes_of(duty), *routes_of(dispatch), *routes_of(notifications)]


def uuid_of(name: str, person: Person) -> UUID:
    """`row_of` for a row that is put there."""
    return UUID(row_of(name, person))


if __name__ == "__main__":
    DOCUMENT.write_text(document(every_route()), encoding="utf-8")
