"""The house rules of events: each is told by the service its subject names, heard by somebody, and played by a test on both sides."""

import ast
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from gateway import live
from services.notifications.shapes import AlertKind
from shared import events
from shared.events import Event
from shared.messaging.inbox import Handler
from shared.messaging.subjects import STREAMS
from shared.migrate import SERVICES
from shared.service import Slice
from tests.test_house import ROOT, modules, name_of

EVENTS = sorted(
    (kind for _, kind in inspect.getmembers(events, inspect.isclass) if issubclass(kind, Event) and kind is not Event),
    key=lambda kind: kind.subject,
)
HANDLERS: list[Handler] = [one for name in SERVICES for one in importlib.import_module(f"services.{name}.app").app.state.handlers]
by_name = pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)


@cache
def made_in(path: Path) -> frozenset[str]:
    """The names that a file calls: `GapOpened(...)` makes one, and so does `GapOpened.model_validate(...)`."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    made = [call.value if isinstance(call, ast.Attribute) and call.attr == "model_validate" else call for call in calls]
    return frozenset(one.id for one in made if isinstance(one, ast.Name))


def makers_of(kind: type[Event], floor: str) -> Iterator[Path]:
    """The files of a floor that make such an event."""
    return (path for path in modules(floor) if kind.__name__ in made_in(path))


@by_name
def test_a_subject_says_stream_service_noun_and_what_happened(kind: type[Event]) -> None:
    stream, service, *rest = kind.subject.split(".")

    right = (stream in STREAMS, service in SERVICES, len(rest) == 2)
    assert all(right), f"{kind.__name__}: <stream>.<service>.<noun>.<past tense>"


def test_no_two_events_travel_as_one() -> None:
    assert {subject: count for subject, count in Counter(kind.subject for kind in EVENTS).items() if count > 1} == {}


@by_name
def test_an_event_is_told_by_the_service_that_its_subject_names(kind: type[Event]) -> None:
    told_by = {path.relative_to(ROOT).parts[1] for path in makers_of(kind, "services")}

    assert told_by, f"{kind.__name__} is told by nobody: publish(tx, {kind.__name__}(…)) where it becomes true, or delete it"
    assert told_by == {kind.source()}, f"{kind.subject}: NATS lets {kind.source()} alone tell it"


@by_name
def test_an_event_is_heard_by_somebody(kind: type[Event]) -> None:
    heard = [one.name for one in HANDLERS if one.event is kind]
    shown = f"events.{kind.__name__}.subject" in inspect.getsource(live)

    assert heard or shown, f"{kind.__name__} is heard by nobody: @slice.on({kind.__name__}), or a topic of the pages in gateway/live.py"


@by_name
def test_who_tells_an_event_and_who_hears_it_are_held_by_a_test(kind: type[Event]) -> None:
    name, tests = kind.__name__, list(modules("tests"))
    if any(one.event is kind for one in HANDLERS):
        assert list(makers_of(kind, "tests")), f"no test lets anybody hear it: await service.hears({name}(…))"
    asked = re.compile(rf"\b{name}\b(?!\()")
    uses = [path for path in tests if any(asked.search(line) and "import" not in line for line in path.read_text().splitlines())]
    assert uses, f"no test asks whether it is told: await service.told({name})"


@pytest.mark.parametrize("service", SERVICES)
def test_every_slice_of_a_service_is_composed_into_it(service: str) -> None:
    """One that is left out of SLICES hears nothing, answers nothing, and says nothing of it."""
    written: dict[int, str] = {}
    for path in modules("services"):
        if path.relative_to(ROOT).parts[1] == service and "migrations" not in path.parts:
            module = importlib.import_module(name_of(path)[:-3].replace("/", "."))
            written |= {id(one): f"{name_of(path)}: {name}" for name, one in vars(module).items() if isinstance(one, Slice)}
    composed = {id(one) for one in importlib.import_module(f"services.{service}.app").SLICES}

    assert [where for one, where in written.items() if one not in composed] == [], f"add it to SLICES in services/{service}/app.py"


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_works_of_a_service_have_one_name(service: str) -> None:
    """Of two due rows, jobs or errands of one kind the later would win; two handlers of one name would share what is heard."""
    slices = importlib.import_module(f"services.{service}.app").SLICES
    names = Counter(handler.name for handler in HANDLERS if handler.service == service)
    for what in ("dues", "works", "errands"):
        names += Counter(f"{what}: {kind}" for one in slices for kind in getattr(one, what))

    assert {name: count for name, count in names.items() if count > 1} == {}


def test_a_block_that_follows_a_topic_follows_one_that_is_told() -> None:
    """A word in data-live that no event becomes would leave its block as old as its page."""
    told = set(re.findall(r'[{ ]f?"([a-z_]+)(?::[^"]*)?":', inspect.getsource(live.topics_of)))
    followed: dict[str, str] = {}
    for path in sorted((ROOT / "gateway").rglob("*.html")):
        for words in re.findall(r'data-live="((?:\{\{.*?\}\}|\{%.*?%\}|[^"{])*)"', path.read_text()):
            plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", words)
            followed |= {word.partition(":")[0]: name_of(path) for word in plain.split() if word.strip(":")}

    assert followed
    assert {word: where for word, where in followed.items() if word not in told} == {}, "gateway/live.py, topics_of: which event is it?"


def test_every_kind_of_alert_has_its_words_in_the_inbox() -> None:
    shown = (ROOT / "gateway" / "inbox" / "list.html").read_text()

    assert [kind for kind in get_args(AlertKind) if f'"{kind}"' not in shown] == [], "gateway/inbox/list.html says each kind in a sentence"
