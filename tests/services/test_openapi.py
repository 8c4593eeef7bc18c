"""The API's own description: complete, right by its own schemas, and one document for all services."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from gateway.api import INSIDE, joined
from services.dispatch.app import app as dispatch
from services.duty.app import app as duty
from services.identity.app import app as identity
from services.notifications.app import app as notifications
from services.personnel.app import SLICES
from services.personnel.app import app as personnel
from shared.description import describe
from shared.examples import Composed, noun
from shared.refusals import FieldError
from shared.story import NAMED, NOT_YET, OTHERS, WORDS
from shared.web import problem
from tests.services.matrix import Route, every_route, example_of

METHODS = {"get", "post", "put", "patch", "delete"}
SERVICES = {"identity": identity, "personnel": personnel, "duty": duty, "dispatch": dispatch, "notifications": notifications}


@cache
def document() -> dict[str, Any]:
    """As /api/v1/openapi.json gives it."""
    return joined({name: app.openapi() for name, app in SERVICES.items()})


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in document()["paths"].items():
        for method, operation in found.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def schema_with(part: dict[str, Any]) -> dict[str, Any]:
    """A schema that finds what it refers to in the document."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": document()["components"], **part}


def without_nulls(node: Any) -> Any:
    """Schemas that do not ask for what may be null: FastAPI leaves nulls out of the examples."""
    if isinstance(node, dict):
        found = {name: without_nulls(value) for name, value in node.items()}
        properties = found.get("properties", {})
        if isinstance(properties, dict) and "required" in found:
            may_be_null = {name for name, one in properties.items() if {"type": "null"} in one.get("anyOf", [])}
            found["required"] = [name for name in found["required"] if name not in may_be_null]
        return found
    return [without_nulls(one) for one in node] if isinstance(node, list) else node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for one in node:
            yield from references(one)


def examples_in(node: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """Every schema with examples in it, with where it stands."""
    if isinstance(node, dict):
        if "type" in node or "anyOf" in node or "properties" in node or "enum" in node:
            given = [node["example"]] if "example" in node else []
            many = node.get("examples", [])
            for one in given + (many if isinstance(many, list) else []):
                yield where, {name: value for name, value in node.items() if name not in ("example", "examples")}, one
        for name, value in node.items():
            if name not in ("example", "examples", "default"):
                yield from examples_in(value, f"{where}/{name}")
    elif isinstance(node, list):
        for number, one in enumerate(node):
            yield from examples_in(one, f"{where}/{number}")


def test_the_document_names_what_it_is() -> None:
    found = document()
    assert found["openapi"].startswith("3.1")
    assert {"title", "version", "description"} <= set(found["info"])
    assert found["servers"] == [{"url": "/api/v1"}]


@pytest.mark.parametrize("route", every_route(), ids=lambda one: one.name)
def test_every_operation_says_what_it_does_and_what_comes_of_it(route: Route) -> None:
    operation = route.operation
    assert operation["summary"]
    assert len(operation.get("description", "")) > 10, "a docstring: what it does, units, what is refused"
    assert operation["tags"]
    good = {status: one for status, one in operation["responses"].items() if status.startswith("2")}
    assert good
    for status, answer in good.items():
        content = answer.get("content", {})
        if status == "204":
            assert not content
        elif "application/json" in content:
            assert content["application/json"]["schema"], "a response model"
        else:
            assert content, "the media type of the file"
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/Refused"}


def test_every_parameter_in_a_path_is_described() -> None:
    for name, operation in operations():
        wanted = {part[1:-1] for part in name.split("/") if part.startswith("{")}
        described = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path" and one["required"]}
        assert described == wanted, name


def test_no_two_operations_have_the_same_name() -> None:
    counted = Counter(operation["operationId"] for _, operation in operations())
    assert [name for name, count in counted.items() if count > 1] == []


def test_every_reference_leads_somewhere() -> None:
    there = {f"#/components/{kind}/{name}" for kind, found in document()["components"].items() for name in found}
    assert set(references(document())) - there == set()


def test_every_schema_is_one() -> None:
    for schema in document()["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator(schema_with(schema))


def test_every_example_is_right_by_its_own_schema() -> None:
    wrong, count = [], 0
    found = list(examples_in(document()["components"]["schemas"], "#/components/schemas"))
    for name, operation in operations():
        found += examples_in(operation, name)
        for one in operation.get("parameters", []):
            if "example" in one:
                found.append((f"{name} {one['name']}", one["schema"], one["example"]))
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            if media == "application/json":
                value = example_of(content, {})
                found += [(f"{name} body", content["schema"], value)] if value is not None else []
    for where, schema, value in found:
        count += 1
        validator = jsonschema_rs.Draft202012Validator(without_nulls(schema_with(schema)), validate_formats=True)
        wrong += [f"{where}: {error.message}" for error in validator.iter_errors(value)]
    assert not wrong, "\n".join(wrong)
    assert count > 40


def answers() -> Iterator[tuple[str, dict[str, Any]]]:
    """What each operation answers in JSON when it refuses nothing."""
    for name, operation in operations():
        for status, answer in operation["responses"].items():
            if status.startswith("2") and "application/json" in answer.get("content", {}):
                yield f"{name} {status}", answer["content"]["application/json"]


def test_every_answer_is_shown_by_an_example_that_a_reader_may_take_for_the_answer() -> None:
    wrong = []
    for name, answer in answers():
        if "example" not in answer:
            pytest.fail(f"{name}: {Composed(document()['components']['schemas']).of(answer['schema'])}")  # says what is missing
        validator = jsonschema_rs.Draft202012Validator(schema_with(answer["schema"]), validate_formats=True)
        wrong += [f"{name}: {error.instance_path} {error.message}" for error in validator.iter_errors(answer["example"])]
    assert not wrong, "\n".join(wrong)


def test_every_field_of_an_answer_is_in_its_example() -> None:
    def left_out(schema: Any, example: Any) -> Iterator[str]:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
        if isinstance(example, list):
            for one in example:
                yield from left_out(schema.get("items", {}), one)
        elif isinstance(example, dict):
            for name, part in schema.get("properties", {}).items():
                if name not in example:
                    yield name
                else:
                    yield from left_out(part, example[name])

    schemas = document()["components"]["schemas"]
    gone = {name: found for name, answer in answers() if (found := list(left_out(answer["schema"], answer.get("example", {}))))}
    assert gone == {}


def test_the_story_of_the_examples_holds_no_word_that_nobody_says() -> None:
    said: dict[str, set[str]] = {}
    for schema in document()["components"]["schemas"].values():
        said.setdefault(noun(schema.get("title", "")), set()).update(schema.get("properties", {}))
    everywhere = set().union(*said.values())
    assert set(WORDS) | NOT_YET | set(OTHERS) <= everywhere
    for shape, words in NAMED.items():
        assert set(words) <= said[shape], shape


def test_each_refusal_is_shown_as_a_service_gives_it() -> None:
    shown = document()["components"]["responses"]["personnel.Refused"]["content"]["application/problem+json"]
    validator = jsonschema_rs.Draft202012Validator(schema_with(shown["schema"]))
    given = json.loads(bytes(problem(Request({"type": "http"}), 422, "invalid", errors=[FieldError("name", "too_long")]).body))

    for example in [one["value"] for one in shown["examples"].values()]:
        validator.validate(example)
        assert set(example) == set(given)
    assert set(shown["examples"]["invalid"]["value"]["errors"][0]) == set(given["errors"][0])
    assert {str(one["value"]["status"]) for one in shown["examples"].values()} >= {"400", "401", "403", "404", "409", "422"}


def test_what_is_inside_stays_inside() -> None:
    shown = {path.split("/", 2)[2] for path in document()["paths"]}
    assert not shown & set(INSIDE)


def test_who_may_ask_stands_at_every_operation() -> None:
    secured = dict(operations())
    assert secured["POST /personnel/doses"]["security"] == [{"key": ["vaccination:write"]}, {"session": []}]
    assert secured["GET /personnel/institution"]["security"] == []
    schemes = document()["components"]["securitySchemes"]
    assert {name for one in secured.values() for choice in one["security"] for name in choice} <= set(schemes)


def test_writes_say_that_they_may_be_repeated() -> None:
    keyed = {name for name, one in operations() if any(p["name"] == "Idempotency-Key" for p in one.get("parameters", []))}
    assert "POST /personnel/doses" in keyed
    assert "GET /personnel/people" not in keyed
    assert "POST /identity/sessions" not in keyed, "an answer with a secret is not kept"


async def test_others_are_answered_while_the_description_is_written_and_nobody_gets_half_of_it() -> None:
    app = FastAPI(openapi_url=None)
    for one in SLICES:
        app.include_router(one)
    describe(app)
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.002)
            turns += 1

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service") as client:
        turning = asyncio.create_task(turn())
        answers = await asyncio.gather(*(client.get("/openapi.json") for _ in range(3)))
        turning.cancel()

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == {JSONResponse(app.openapi()).body}
    assert "Problem" in answers[0].json()["components"]["schemas"]
    assert turns > 10, "nothing else went on meanwhile"
