"""Imports: everything is shown before anything is written, nothing is doubled, nothing is invented, and the numbers add up."""

import io
from collections.abc import Sequence
from typing import Any

import openpyxl
import pytest

from tests.doors import Door
from tests.people import HEALTH
from tests.services.institution import settle

HEADINGS = "工号 姓名 处室 用工形式 出生日期 手机号码 入职日期 第一针疫苗名称 第一针接种日期 第二针疫苗名称 第二针接种日期".split()
NEW = ["20210801", "简一诺", "教务处", "在编", "1990-01-02", "19900000801", "2021-07-01", "北京生物", "2021-03-12", "北京生物", "2021-04-12"]
KNOWN = ["20140312", "江采薇", "教务处", "在编", "1985-05-17", "19900000312", "2012-03-01", "", "", "", ""]


@pytest.fixture(autouse=True)
async def _settled(personnel: Door) -> None:
    await settle(personnel)


def sheet(*rows: Sequence[Any], headings: Sequence[str] = HEADINGS, title: str = "教职工名册") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
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
    return (await personnel.get(f"/imports/{import_id}", HEALTH)).json()


async def commit(personnel: Door, import_id: str) -> dict[str, Any]:
    answer = await personnel.post(f"/imports/{import_id}/commit", None, HEALTH)
    assert answer.status_code == 202, answer.text
    await personnel.works()
    return await shown(personnel, import_id)


async def test_a_list_is_shown_and_then_written(personnel: Door) -> None:
    found = await upload(personnel, sheet(NEW, KNOWN))

    assert found["state"] == "ready", found
    assert found["counts"] == {"new": 1, "changed": 0, "same": 1, "refused": 0, "rows": 2}

    done = await commit(personnel, found["id"])

    assert done["state"] == "committed", done
    people = (await personnel.get("/people", HEALTH, params={"q": "jyn"})).json()["items"]
    assert people[0]["standing"]["code"] == "complete"
