"""The house rules of the pages: they compile, keep the closed CSP, name blocks as ids, and say every word in both languages."""

import re
import tomllib
from hashlib import sha256
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message
from jinja2 import nodes

from gateway.codes import FILES, WORDS
from gateway.pages import environment
from infra.words import known, needed, spoken

HOUSE = Path(__file__).parent.parent.parent
GATEWAY = HOUSE / "gateway"
TEMPLATES = sorted(path.relative_to(GATEWAY).as_posix() for path in GATEWAY.rglob("*.html") if "static" not in path.parts)
WORD_FILES = sorted(needed().items())
FORBIDDEN = {
    "style attribute": r"<[^>]*\sstyle\s*=",
    "style element": r"<style",
    "inline script": r"<script(?![^>]*\ssrc=)",
    "handler in an attribute": r"<[^>]*\s(?:on[a-z]+|hx-on[:\w-]*)\s*=",
    "evaluated value": r"""=["']js:|javascript:""",
    "address of another host": r"""(?:src|href|action|hx-[a-z]+)=["'](?:https?:)?//""",
    "unescaped value": r"\|\s*safe\b(?!\s+if)",
}


@pytest.mark.parametrize("lang", ["zh-Hans", "en"])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(name: str, lang: str) -> None:
    assert environment(lang).get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_imports_what_it_uses(name: str) -> None:
    tree = environment("en").parse((GATEWAY / name).read_text(encoding="utf-8"))
    used = {found.name for found in tree.find_all(nodes.Name)}
    imported = {one if isinstance(one, str) else one[1] for found in tree.find_all(nodes.FromImport) for one in found.names}

    assert imported <= used


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_template_keeps_the_content_security_policy_closed(name: str, what: str) -> None:
    text = re.sub(r"\{#.*?#\}", "", (GATEWAY / name).read_text(encoding="utf-8"), flags=re.DOTALL)

    assert re.findall(FORBIDDEN[what], text, re.IGNORECASE) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_htmx_asks_for_is_a_block_of_that_name(name: str) -> None:
    text = (GATEWAY / name).read_text(encoding="utf-8")
    written = set(re.findall(r"""hx-target="#([^"{]+)\"""", text)) - {"alert", "toasts"}
    live = set(re.findall(r"""<\w+[^>]*\sid="(\w+)"[^>]*\sdata-live=""", text))

    assert not {target for target in written | live if not re.fullmatch(r"[a-z][a-z0-9_]*", target)}
    blocks = set(environment("en").get_template(name).blocks)
    assert written | live <= blocks | set(re.findall(r"block (\w+)", text)) | {"main"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_form_that_changes_something_carries_its_key_or_says_nothing_twice(name: str) -> None:
    """A double click is one act: each form that posts to a service has the hidden key."""
    text = (GATEWAY / name).read_text(encoding="utf-8")
    repeatable = ("/language", "/scheme", "/signout", "/demo/clock", "/signin", "/demo/", "/setup")  # the same act twice is the same act
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        action = re.search(r'action="([^"]*)"', form)
        if action and not action[1].startswith(repeatable):
            assert "once(" in form, form[:200]


@pytest.mark.parametrize(("file", "messages"), WORD_FILES, ids=[path.parent.name for path, _ in WORD_FILES])
def test_every_word_is_said_in_chinese(file: Path, messages: set[str | tuple[str, str]]) -> None:
    catalog = known(file)
    said = {message.id: message for message in catalog if message.id}
    wanted = {message if isinstance(message, str) else tuple(message) for message in messages}

    assert {key if isinstance(key, str) else tuple(key) for key in said} == wanted, "run infra/words.py"
    assert [message.id for message in said.values() if message.fuzzy or not spoken(message)] == []


@pytest.mark.parametrize(("file", "messages"), WORD_FILES, ids=[path.parent.name for path, _ in WORD_FILES])
def test_a_translation_names_what_its_sentence_names(file: Path, messages: set[str]) -> None:
    assert [message.id for message in known(file) if message.id and holes(message.id) != holes(message.string)] == []


def holes(text: object) -> set[str]:
    """The names a sentence is filled with."""
    if not isinstance(text, str):
        return set().union(*(holes(each) for each in text)) if isinstance(text, (tuple, list)) else set()
    braces = {name for _, name, _, _ in Formatter().parse(text) if name} if text in WORDS.values() or "%(" not in text else set()
    return {name.removesuffix("_zh") for name in braces} | set(re.findall(r"%\((\w+)\)", text))


def test_a_sentence_said_on_two_pages_has_one_translation() -> None:
    translated: dict[object, set[object]] = {}
    for file, _ in WORD_FILES:
        message: Message
        for message in known(file):
            if message.id:
                translated.setdefault(str(message.id), set()).add(str(message.string))

    assert {said: ways for said, ways in translated.items() if len(ways) > 1} == {}


def test_every_class_of_the_style_sheet_is_worn() -> None:
    """By its name, or by the beginning that a template ends: `class="p-{{ kind }}"`. htmx puts its own on by itself."""
    sheet = re.sub(r"/\*.*?\*/", "", (GATEWAY / "static" / "muster.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", sheet))) - {"htmx-request"}
    wearers = [*GATEWAY.rglob("*.html"), *GATEWAY.rglob("*.py"), *(GATEWAY / "static").glob("*.js")]
    said = " ".join(path.read_text(encoding="utf-8") for path in wearers)
    words, begun = set(re.findall(r"[\w-]+", said)), set(re.findall(r"([a-z]+-)(?:\{\{|\" ~)", said))

    assert sorted(one for one in styled - words if f"{one.partition('-')[0]}-" not in begun) == []


def test_no_two_scripts_of_a_page_give_one_name_twice() -> None:
    """They share one scope: the second script would not run at all. The worker has a scope of its own."""
    scripts = [path for path in sorted((GATEWAY / "static").glob("*.js")) if path.name != "worker.js"]
    given = [
        (name, path.name)
        for path in scripts
        for name in re.findall(r"^(?:const|let|class|(?:async )?function) (\w+)", path.read_text(), re.M)
    ]
    names = [name for name, _ in given]

    assert names
    assert [one for one in given if names.count(one[0]) > 1] == []


def test_every_icon_a_page_draws_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="i-([\w-]+)"', (GATEWAY / "static" / "icons.svg").read_text(encoding="utf-8")))
    used = {name for path in TEMPLATES for name in re.findall(r'icon\("([\w-]+)"\)', (GATEWAY / path).read_text(encoding="utf-8"))}

    assert used <= drawn


def test_what_others_wrote_is_what_was_written_down() -> None:
    lock = tomllib.loads((GATEWAY / "static" / "vendor" / "LOCK.toml").read_text(encoding="utf-8"))
    named = {entry["path"] for entry in lock["file"]}
    lying = {path.relative_to(HOUSE).as_posix() for path in (GATEWAY / "static" / "vendor").iterdir() if path.name != "LOCK.toml"}

    assert lying <= named
    for entry in lock["file"]:
        assert sha256((HOUSE / entry["path"]).read_bytes()).hexdigest() == entry["sha256"], entry["path"]
        assert entry["version"]
        assert entry["licence"]


def test_a_code_has_one_sentence() -> None:
    places: dict[str, list[str]] = {}
    for file in FILES:
        for code in file.WORDS:
            places.setdefault(code, []).append(file.__name__)

    assert {code: where for code, where in places.items() if len(where) > 1} == {}, "say it once, in gateway/codes/everywhere.py"


def test_a_code_that_a_service_can_say_has_words_on_the_pages() -> None:
    """`Reason("overlap")`, `Refused("overlap")` and `wrong("field", "overlap")` are codes; each needs its line in gateway/codes."""
    codes: dict[str, str] = {}
    for path in sorted([*(HOUSE / "services").rglob("*.py"), *(HOUSE / "shared").rglob("*.py"), *GATEWAY.rglob("*.py")]):
        text = path.read_text(encoding="utf-8")
        said = re.findall(r'(?:Reason|Refused)\(\s*"(\w+)"|wrong\(\s*[\w".]+,\s*"(\w+)"', text)
        if path.name in ("words.py", "sentences.py", "web.py"):
            said += re.findall(r'^    "([a-z_]+)()": "[^"]* ', text, re.MULTILINE)  # the tables of English sentences
        if path.is_relative_to(GATEWAY):
            said += re.findall(r'"code": "([a-z_]+)()"', text)
        for first, second in said:
            codes[first or second] = path.relative_to(HOUSE).as_posix()

    assert {code: path for code, path in codes.items() if code not in WORDS} == {}
