"""The two orders of the reference case: what they say, who answered when, whom the head told otherwise, and who is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from types import MappingProxyType
from typing import Literal

from infra.reference import cast
from infra.reference.deployment import ZONE

Method = Literal["group_chat", "in_person", "meeting"]


@dataclass(frozen=True)
class Recording:
    """A head records at `at` how the people of the department were told who had not answered by themselves."""

    department: str
    at: datetime
    method: Method
    note: str


@dataclass(frozen=True)
class Order:
    """An order to everybody. `answered`: name -> when they said that they read it; `done`: when they said it was done."""

    title: str
    text: str
    title_en: str
    text_en: str
    issued_at: datetime
    deadline_at: datetime
    done_deadline_at: datetime | None
    answered: Mapping[str, datetime]
    done: Mapping[str, datetime]
    recordings: tuple[Recording, ...]
    missing: frozenset[str]


def _at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2021, 8, day, hour, minute, tzinfo=ZONE)


_FIRST_MINUTES = tuple(_at(4, 7, minute) for minute in (15, 30, 45))
_SECOND_MINUTES = (_at(5, 8, 45), _at(5, 9, 15), _at(5, 9, 40))
_LATE = _at(5, 10, 10)
# Of departments where many work outdoors the head told those who had not answered; of the others all answered by themselves.
_TOLD = (
    Recording("后勤服务中心", _at(4, 9, 30), "in_person", "班前会逐人当面传达，本人口头回复“收到”。"),
    Recording("学员管理处", _at(4, 9, 30), "group_chat", "学员工作群接龙回复。"),
    Recording("图书馆", _at(4, 9, 30), "meeting", "晨会传达，志愿者签到确认。"),
)
_NEVER_FIRST = frozenset({"严松年", "甘棠"})


def _first() -> Order:
    chance = Random("first order")
    by_head = {recording.department for recording in _TOLD}
    answered = {}
    for someone in cast.people():
        outdoors = someone.department in by_head and someone.employment != "permanent"
        if someone.name not in _NEVER_FIRST and not outdoors:
            answered[someone.name] = chance.choice(_FIRST_MINUTES)
    return Order(
        "今日起全员手机二十四小时开机",
        "接上级通知：自 8 月 4 日起，全体人员手机保持二十四小时开机，离开岗位须向处室报备。请各处室立即传达到每一个人，读后逐人回复。",
        "Phones stay on day and night from today",
        "From 4 August everybody keeps the phone on day and night and tells the department before leaving the post. Pass this on at once; "
        "everybody answers after reading.",
        _at(4, 7, 5),
        _at(4, 12),
        None,
        MappingProxyType(answered),
        MappingProxyType({}),
        _TOLD,
        _NEVER_FIRST,
    )


def _second() -> Order:
    chance = Random("second order")
    names = [someone.name for someone in cast.people()]
    missing = frozenset(chance.sample([name for name in names if cast.person(name).employment != "permanent"], 17)) | {"安攸宁", "左静姝"}
    late = chance.sample([name for name in names if name not in missing], 6)
    answered = {name: _LATE if name in late else chance.choice(_SECOND_MINUTES) for name in names if name not in missing}
    return Order(
        "暂停离市休假，在外人员 8 月 8 日前返回",
        "自 8 月 5 日起暂停一切离市休假。在外人员于 8 月 8 日 18:00 前返回（中高风险地区人员除外），"
        "返回后在本条点“已办”。请于今日 10:00 前回复“已读”。",
        "No leave outside the city; whoever is away returns by 8 August",
        "All leave outside the city is suspended from 5 August. Whoever is away returns by 18:00 on 8 August, except from medium- or "
        "high-risk areas, and marks this as done on return. Acknowledge by 10:00 today.",
        _at(5, 8, 30),
        _at(5, 10),
        _at(8, 18),
        MappingProxyType(answered),
        MappingProxyType({name: when for name, when in answered.items() if chance.random() < 0.25}),
        (),
        missing,
    )


ORDERS = (_first(), _second())
