"""The story that the API's description tells: on 5 August 2021 at 16:25 somebody of the invented institution asks. A word stands here for
all fields of its name; what one shape alone says stands at its field."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

MOMENT = "2021-08-05T08:25:00Z"
TODAY = "2021-08-05"


def example_id(kind: str) -> str:
    """The id that the story's one person, shift or notice has wherever it is spoken of: version 7, of the story's day."""
    drawn = blake2b(kind.encode(), digest_size=9).hexdigest()
    return f"017b1553-8400-7{drawn[:3]}-9{drawn[3:6]}-{drawn[6:]}"


_NIGHT = {"starts_at": "2021-08-05T11:00:00Z", "ends_at": "2021-08-05T23:00:00Z"}

NOT_YET = frozenset(
    {
        "closed_at",
        "closed_by",
        "committed_at",
        "committed_by",
        "corrected",
        "corrects_id",
        "deputy",
        "done_at",
        "done_deadline_at",
        "ended_at",
        "error",
        "exempt_until_on",
        "filled_at",
        "gap_id",
        "invited_until",
        "left_on",
        "locked_seconds",
        "mail_error",
        "override_by",
        "override_by_name",
        "override_reason",
        "parent_id",
        "problem",
        "reason",
        "relieved_at",
        "removal_on",
        "result",
        "shift_reason",
        "until_on",
        "used_at",
        "withdrawn",
    }
)
"""What has not happened in the story, and is null where it may be."""

NAMED: Mapping[str, Mapping[str, Any]] = {
    "Person": {"name": "江采薇"},
    "Department": {
        "name": "教务处",
        "told_count": 14,
        "opened_count": 13,
        "read_count": 12,
        "by_head_count": 1,
        "done_count": 0,
        "late_count": 0,
        "done_late_count": 0,
        "missing_count": 1,
        "not_done_count": 0,
    },
    "Counts": {
        "told_count": 120,
        "opened_count": 117,
        "read_count": 112,
        "by_head_count": 5,
        "done_count": 0,
        "late_count": 2,
        "done_late_count": 0,
        "missing_count": 3,
        "not_done_count": 0,
    },
    "Post": {"name": "后勤夜班"},
    "Operation": {"name": "社区核酸检测支援"},
    "Site": {"name": "东门采样点", "address": "东门停车场"},
    "Role": {"name": "信息登记"},
    "Team": {"name": "防疫突击队"},
    "Institution": {"name": "澜江学院"},
    "Duty": _NIGHT,
    "Slot": _NIGHT,
    "Gap": _NIGHT,
}
"""What is called how, and when it is: by the noun that a shape is of."""

OTHERS: Mapping[str, Mapping[str, Any]] = {
    "head": {"name": "顾长亭", "number": "20060907"},
    "reporter": {"name": "殷若棠", "number": "20110618"},
    "leader": {"name": "陶一鸣", "number": "20090311"},
    "old": {"name": "丁一帆", "number": "20170226"},
    "candidates": {"name": "贝听澜", "number": "20180914"},
    "refused": {"name": "余晓岸", "number": "20120405"},
    "left_out": {"name": "余晓岸", "number": "20120405"},
    "already": {"name": "余晓岸", "number": "20120405"},
}
"""People beside the one who is told of, by the field that leads to them."""

WORDS: Mapping[str, Any] = {
    # people
    "name": "江采薇",
    "number": "20140312",
    "username": "20140312",
    "department": "教务处",
    "employment": "permanent",
    "email": "jiang@example.org",
    "phone": "13900000115",
    "born_on": "1988-04-17",
    "joined_on": "2014-03-12",
    "roles": ["coordinator"],
    "by": "严松年",
    "by_name": "严松年",
    "issued_by": "严松年",
    "asked_by": "何若宁",
    "decided_by": "林照野",
    "entered_by": "何若宁",
    "recorded_by": "何若宁",
    "recorded_by_name": "何若宁",
    "uploaded_by": "何若宁",
    "answered_by": "何若宁",
    "answered_by_name": "何若宁",
    "looker_name": "何若宁",
    "made_by": "林照野",
    "corrected_by": "陶一鸣",
    # where and when
    "operation": "社区核酸检测支援",
    "site": "东门采样点",
    "place": ("林语社区", 1),
    "partner": "临澜区卫生服务中心",
    "role": "信息登记",
    "post_name": "后勤夜班",
    "starts_at": "2021-08-05T04:40:00Z",
    "ends_at": "2021-08-05T09:20:00Z",
    "from_on": "2021-08-04",
    "until_on": "2021-08-10",
    "monday": "2021-08-02",
    "days": (["2021-08-02", "2021-08-03", "2021-08-04", "2021-08-05", "2021-08-06", "2021-08-07", "2021-08-08"], 3),
    "asked_at": "2021-08-04T06:10:00Z",
    "answered_at": "2021-08-04T06:32:00Z",
    "checked_in_at": "2021-08-05T04:31:00Z",
    "checked_out_at": "2021-08-05T09:24:00Z",
    "old_checked_in_at": "2021-08-05T04:52:00Z",
    "old_checked_out_at": "2021-08-05T09:24:00Z",
    "corrected_at": "2021-08-05T09:30:00Z",
    "last_end_at": "2021-08-04T09:20:00Z",
    "made_at": "2021-08-04T01:00:00Z",
    "entered_at": "2021-08-04T01:20:00Z",
    "recorded_at": "2021-08-04T01:20:00Z",
    "decided_at": "2021-08-04T02:05:00Z",
    "expires_at": "2021-08-05T08:55:00Z",
    "expires_on": "2022-07-31",
    "signed_in_at": "2021-08-05T00:12:00Z",
    "last_seen_at": MOMENT,
    "last_signed_in_at": "2021-08-05T00:12:00Z",
    "last_used_at": "2021-08-05T08:20:00Z",
    "hour": 14,
    "hours": 12,
    "hours_28_days": 32.5,
    "hours_total": 96.0,
    "weekend_hours_28_days": 8.0,
    "samples": 180,
    "bring": ("身份证、雨衣", ["身份证、雨衣"]),
    "note": "提前十分钟到场。",
    "requirement": "testing_point",
    "rule": "testing_point",
    # health
    "product": "bibp",
    "programme": "covid19",
    "given_on": "2021-06-12",
    "lot": "202106B0417",
    "next_from_on": None,
    "next_until_on": None,
    "notes": [],
    "fit_from": "2021-06-26T00:00:00+08:00",
    "fit_until": None,
    "fit": True,
    "free": True,
    "valid": True,
    # notices
    "title": "今日起全员手机24小时开机",
    "text": "请各处室立即传达，读后逐人回复。",
    "title_en": "Phones stay on day and night from today",
    "text_en": "Pass this on at once; everybody answers after reading.",
    "issued_at": "2021-08-04T00:30:00Z",
    "told_at": "2021-08-04T00:30:00Z",
    "opened_at": "2021-08-04T00:41:00Z",
    "read_at": "2021-08-04T00:42:00Z",
    "reminded_at": "2021-08-04T01:00:00Z",
    "deadline_at": "2021-08-04T02:00:00Z",
    # everywhere
    "params": {},
    "version": (3, "2021-08-01"),
    "total": 1,
}
"""What a field of this name says; of several, the first that is of its kind."""
