"""Examples of answers, composed from the schema that describes them: what a field or a shape says of itself, else a word of the story."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.story import MOMENT, NAMED, NOT_YET, OTHERS, TODAY, WORDS, example_id

_KINDS: Mapping[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
_NOUN = re.compile(r"([A-Z][a-z]+)(?:Brief|Shown|Row|Kept|Wish|Made|Decided|Count|Progress|Coverage)?$")
Schema = Mapping[str, Any]


class Composed:
    """Examples by the schemas of one document."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas = schemas

    def of(self, schema: Schema, field: str = "", shape: str = "") -> Any:
        """An example that is right by the schema, of a field of a shape. LookupError where nothing says what such a field holds."""
        if own := _own(schema):
            return own[0]
        found = self._meant(schema)
        if found is None or (field in NOT_YET and "anyOf" in schema):
            return None
        if "properties" in found:
            name = noun(found.get("title", ""))
            if field in OTHERS or (name == "Person" and shape in OTHERS):
                name = field if field in OTHERS else shape
            return {one: self.of(part, one, name) for one, part in found["properties"].items()}
        for words in (OTHERS.get(shape, {}), NAMED.get(shape, {}), WORDS):
            for word in _several(words.get(field, ())):
                if _fits(word, found) or (word is None and "anyOf" in schema):
                    return word
        return self._by_kind(found, field, shape)

    def _meant(self, schema: Schema) -> Schema | None:
        """What a reference or the first choice but null stands for."""
        if "$ref" in schema:
            return self.schemas[schema["$ref"].rsplit("/", 1)[-1]]
        if "anyOf" in schema:
            return next((self._meant(one) for one in schema["anyOf"] if one.get("type") != "null"), None)
        return schema

    def _by_kind(self, schema: Schema, field: str, shape: str) -> Any:
        kind, form = schema.get("type"), schema.get("format")
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        if form == "uuid":
            return example_id(shape.lower() if field == "id" else re.sub(r"_ids?$|s$", "", field))
        if form in ("date-time", "date"):
            return MOMENT if form == "date-time" else TODAY
        if kind == "boolean":
            return False
        if kind == "integer" and field.endswith("_count"):
            return 3
        if kind == "array":
            return [self.of(schema["items"], field, shape)]
        if "default" in schema:
            return schema["default"]
        raise LookupError(
            f"nothing says what {field or 'the answer'} of {shape or 'no shape'} holds: an example at it, or a word in shared/story.py"
        )


def noun(title: str) -> str:
    """Of what a shape speaks, by its name: BoardShift and ShiftShown of a Shift."""
    found = _NOUN.search(title)
    return found.group(1) if found else title


def _own(schema: Schema) -> Sequence[Any]:
    return [schema["example"]] if "example" in schema else schema.get("examples", ())


def _several(words: Any) -> tuple[Any, ...]:
    return words if isinstance(words, tuple) else (words,)


def _fits(word: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return word in schema["enum"]
    if schema.get("type") == "array":
        return isinstance(word, list) and "$ref" not in schema["items"] and all(_fits(one, schema["items"]) for one in word)
    return isinstance(word, bool) if schema.get("type") == "boolean" else isinstance(word, _KINDS[schema["type"]])
