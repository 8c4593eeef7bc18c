"""Who has not answered a notice: all of them with name, number and department, as a list or as a workbook."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from gateway.i18n import N_, gettext
from gateway.services import notifications
from gateway.words import say, written
from shared.clock import now, zone
from shared.export import Table, download, xlsx

MOST = 5_000
PAGE_SIZE = 200
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Missing:
    """Those who have not answered; `total` is greater than their number when there are more than one list holds."""

    people: list[dict[str, Any]]
    total: int


async def missing_of(notice_id: UUID, department_id: str = "") -> Missing:
    """All who are missing now, those of one department or of every one that the caller follows."""
    path, asked = f"/notices/{notice_id}/people", {"state": "missing", "department_id": department_id, "page_size": PAGE_SIZE}
    first = await notifications.get(path, **asked)
    items = list(first["items"])
    last = (min(first["total"], MOST) + PAGE_SIZE - 1) // PAGE_SIZE
    for begin in range(2, last + 1, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, last + 1))
        for answer in await asyncio.gather(*(notifications.get(path, **asked, page=number) for number in numbers)):
            items += answer["items"]
    items.sort(key=lambda one: (one["person"]["department"] or "", one["person"]["name"]))
    return Missing(items, first["total"])


async def file_of(notice: Mapping[str, Any], missing: Missing, lang: str) -> Response:
    """The workbook."""
    name = gettext(lang, N_("Not answered yet"))
    headings = [gettext(lang, one) for one in (N_("Number"), N_("Name"), N_("Department"), N_("State"), N_("Opened at"))]
    rows = [
        (who["number"], who["name"], who["department"], say(f"recipient.{one['state']}", {}, lang), written(one["opened_at"], lang))
        for one in missing.people
        for who in (one["person"],)
    ]
    about = [notice["title"], f"{now().astimezone(zone()):%Y-%m-%d %H:%M} · {missing.total}"]
    if missing.total > len(missing.people):
        about.append(gettext(lang, N_("These are the first %(num)s")) % {"num": len(missing.people)})
    content = await asyncio.to_thread(xlsx, Table(name, headings, rows, about))
    return download(content, f"{name} {now().astimezone(zone()):%Y-%m-%d}", "missing")
