"""A form as it was typed: lists kept, empty fields dropped, text in one normal form. The service judges it, not we."""

import unicodedata
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from markupsafe import Markup
from starlette.datastructures import UploadFile
from starlette.requests import Request

FIELDS_MOST = 1000
FIELD_BYTES_MOST = 1024 * 1024
ONCE = "once"  # the hidden field that carries the Idempotency-Key of a form


class Typed(dict[str, Any]):
    """What was typed, by field name; `key` is the Idempotency-Key the form carried, kept when the form is shown again."""

    key: str = ""


async def typed(request: Request, *, lists: Collection[str] = ()) -> Typed:
    """The fields of a sent form. A field sent more than once is a list; those named in `lists` always are, also when empty."""
    sent = await request.form(max_fields=FIELDS_MOST, max_files=4, max_part_size=FIELD_BYTES_MOST)
    form = Typed({name: [] for name in lists})
    for name, value in sent.multi_items():
        if isinstance(value, UploadFile):
            continue
        text = tidy(value)
        if name == ONCE:
            form.key = text[:200]
        elif not text:
            continue
        elif name in lists:
            form[name].append(text)
        elif name in form:
            form[name] = [*(form[name] if isinstance(form[name], list) else [form[name]]), text]
        else:
            form[name] = text
    request.state.form_key = form.key
    return form


def tidy(text: str) -> str:
    """Text in normal form C, with one kind of line end and nothing around it. What cannot be kept is left for the service to name."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


async def uploaded(request: Request, name: str) -> UploadFile | None:
    """The file sent in a field; None when none was chosen."""
    file = (await request.form(max_fields=FIELDS_MOST, max_files=4, max_part_size=FIELD_BYTES_MOST)).get(name)
    return file if isinstance(file, UploadFile) and file.filename else None


def form_key(request: Request) -> str:
    """The Idempotency-Key of the form that `typed` has read; a fresh one when the form carried none."""
    return str(getattr(request.state, "form_key", "") or uuid4())


def once(form: Any = None) -> Markup:
    """The hidden Idempotency-Key. Shown again with what was typed it keeps its key, so a send that did arrive is not done twice."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(ONCE, getattr(form, "key", "") or uuid4())


def local_times(text: str, zone: ZoneInfo) -> list[datetime]:
    """The instants a typed local time (`2021-08-05T16:25`) can mean.

    None when it is no time, or the clocks leapt over it; two when they went back: then one has to ask.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return []
    if local.tzinfo is not None:
        return [local.astimezone(UTC)]
    meant = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(instant for instant in meant if instant.astimezone(zone).replace(tzinfo=None, fold=0) == local)
