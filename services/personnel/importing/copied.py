"""Lines as COPY reads and writes them in its text format: tabs between, \\N for nothing."""

from collections.abc import Iterable
from datetime import date

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_UNESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}

Field = str | int | bool | date | None


def _text(field: Field) -> str:
    if field is None:
        return "\\N"
    if isinstance(field, str):
        return field if field.isalnum() else field.translate(_ESCAPES)
    if isinstance(field, bool):
        return "t" if field else "f"
    return str(field)


def line(fields: Iterable[Field]) -> str:
    """One row."""
    return "\t".join(map(_text, fields)) + "\n"


def array(texts: Iterable[str]) -> str:
    """A text[] as a field."""
    quoted = ('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in texts)
    return "{" + ",".join(quoted) + "}"


def fields(text: str) -> list[str | None]:
    """One row, without its line end."""
    if "\\" not in text:
        return list(text.split("\t"))
    return [None if one == "\\N" else _unescaped(one) for one in text.split("\t")]


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    parts = text.split("\\")
    found, i = [parts[0]], 1
    while i < len(parts):
        part = parts[i]
        if part:
            found.append(_UNESCAPED.get(part[0], part[0]) + part[1:])
        else:  # two backslashes stand for one
            i += 1
            found.append("\\" + (parts[i] if i < len(parts) else ""))
        i += 1
    return "".join(found)
