"""Lines as COPY reads and writes them in its text format: tabs between, \\N for nothing."""

from collections.abc import Iterable, Sequence
from datetime import date

_UNESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}

Field = str | int | bool | date | None


def _text(field: Field) -> str:
    if field is None:
        return "\\N"
    if isinstance(field, str):
        return escaped(field)
    if isinstance(field, bool):
        return "t" if field else "f"
    return str(field)


def escaped(text: str) -> str:
    """A text as a field; nearly every one stays as it is."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def line(fields: Iterable[Field]) -> str:
    """One row."""
    return "\t".join(map(_text, fields)) + "\n"


def array(texts: Sequence[str]) -> str:
    """A text[] as a field, not yet escaped."""
    together = "".join(texts)
    if "\\" in together or '"' in together:
        texts = [one.replace("\\", "\\\\").replace('"', '\\"') for one in texts]
    return '{"' + '","'.join(texts) + '"}' if texts else "{}"


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
