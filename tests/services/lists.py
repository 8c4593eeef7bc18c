"""Staff lists for the tests of imports: how they are made, brought, committed and looked at."""

import io
from collections.abc import Sequence
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase

from tests.doors import Door
from tests.people import HEALTH

_WORDS = "工号 姓名 处室 用工形式 出生日期 手机号码 入职日期 第一针疫苗名称 第一针接种日期 第二针疫苗名称 第二针接种日期"
HEADINGS = _WORDS.split()
NEW = [
    "20210801",
    "简一诺",
    "教务处",
    "在编",
    "1990-01-02",
    "19900000801",
    "2021-07-01",
    "北京生物",
    "2021-03-12",
    "北京生物",
    "2021-04-12",
]
KNOWN = ["20140312", "江采薇", "教务处", "在编", "1985-05-17", "19900000312", "2012-03-01", "", "", "", ""]


def sheet(*rows: Sequence[Any], headings: Sequence[str] = HEADINGS, title: str = "教职工名册") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.append([title])
    page.append(list(headings))
    for row in rows:
        page.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


async def upload(personnel: Door, content: bytes, name: str = "名册.xlsx", **form: str) -> dict[str, Any]:
    answer = await personnel.request("POST", "/imports", HEALTH, files={"file": (name, content)}, data=form)
    assert answer.status_code == 202, answer.text
    await personnel.works()
    return await shown(personnel, answer.json()["id"])


async def shown(personnel: Door, import_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await personnel.get(f"/imports/{import_id}", HEALTH)).json()
    return found


async def commit(personnel: Door, import_id: str) -> dict[str, Any]:
    answer = await personnel.post(f"/imports/{import_id}/commit", None, HEALTH)
    assert answer.status_code == 202, answer.text
    await personnel.works()
    return await shown(personnel, import_id)


async def rows_of(personnel: Door, import_id: str, outcome: str | None = None) -> list[dict[str, Any]]:
    found = await personnel.get(f"/imports/{import_id}/rows", HEALTH, params={"outcome": outcome} if outcome else {})
    assert found.status_code == 200, found.text
    items: list[dict[str, Any]] = found.json()["items"]
    return items


async def everything(personnel: Door, *tables: type[DeclarativeBase]) -> list[Any]:
    """Every row of these tables."""
    found: list[Any] = []
    async with personnel.rows() as tx:
        for table in tables:
            columns = list(table.__table__.columns)
            found += [tuple(map(str, row)) for row in await tx.execute(select(*columns).order_by(*table.__table__.primary_key))]
    return found


def cells_of(content: bytes) -> list[list[Any]]:
    page = openpyxl.load_workbook(io.BytesIO(content)).active
    assert isinstance(page, Worksheet)
    return [["" if cell is None else cell for cell in row] for row in page.iter_rows(values_only=True)]


IDENTITY = "110105198505170021"  # made up, with the right check character
