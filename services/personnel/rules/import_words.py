"""What stands in the file of refused rows, in both languages: it is mended in a spreadsheet program, away from the pages."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from services.personnel.rules.matching import ERRORS
from services.personnel.rules.words import ROW

_CHINESE: Mapping[str, str] = {
    "no_number": "没有工号。",
    "no_name": "没有姓名。",
    "name_wrong": "“{text}”不是姓名。",
    "heading_again": "这一行又是表头，不是人。",
    "sum_row": "这一行是合计，不是人。",
    "twice_in_file": "第 {row} 行已经有同样的工号。",
    "number_lost_digits": "表格软件把这个数四舍五入了，丢了几位。把这一列设为文本，再填一次。",
    "number_is_identity": "这里是身份证号。身份证号不保存。",
    "number_wrong": "“{text}”不能作工号：只用字母、数字、点、短横和下划线。",
    "formula_cell": "“{text}”是公式，不是值。请填值。",
    "cell_error": "这里的公式出错：{text}。",
    "odd_characters": "这一格里有不是文字的字符。",
    "too_long": "文字超过 {limit} 个字符。",
    "department_missing": "没有处室。",
    "department_unknown": "系统里还没有处室“{text}”。",
    "employment_missing": "没有用工类别。",
    "employment_unknown": "不认得用工类别“{text}”。",
    "phone_wrong": "“{text}”不是电话号码。",
    "email_wrong": "“{text}”不是邮箱地址。",
    "date_unreadable": "“{text}”不是日期。",
    "date_ambiguous": "“{text}”有两种读法。请按年、月、日写。",
    "date_no_year": "“{text}”没有写全年份。请按年、月、日写。",
    "no_such_month": "日期写的是 {text}，没有 {month} 月。",
    "no_such_day": "日期写的是 {text}，没有这一天。",
    "date_impossible": "{on} 太早了。",
    "born_in_future": "出生日期 {on} 还没到。",
    "left_before_joined": "{left_on} 离开，早于 {joined_on} 入职。",
    "dose_in_future": "第 {ordinal} 剂的日期 {on} 还没到。",
    "dose_too_early": "第 {ordinal} 剂写的是 {on}，那时还没有这种疫苗。",
    "dose_before_birth": "第 {ordinal} 剂（{on}）早于出生日期（{born_on}）。",
    "doses_out_of_order": "第 {second} 剂（{second_on}）早于第 {first} 剂（{first_on}）。",
    "doses_same_day": "第 {first} 剂和第 {second} 剂在同一天，{on}。",
    "dose_date_missing": "第 {ordinal} 剂有疫苗或批号，但没有日期。",
    "product_missing": "第 {ordinal} 剂没有写疫苗。",
    "product_unknown": "不认得疫苗“{text}”。",
    "product_unknown_suggestion": "不认得疫苗“{text}”，可能是“{suggestion_zh}”。",
    "status_contradicts": "状态写的是“{text}”，但是有剂次。",
    "changed_meanwhile": "核对之后，这个人的记录又改过。请把这一行重新导入。",
}
SENTENCES: Mapping[str, Mapping[str, str]] = {"en": {**ROW, **ERRORS}, "zh-Hans": _CHINESE}
HEADINGS = {"en": ("What is wrong", "Refused rows"), "zh-Hans": ("有什么问题", "有错的行")}
_ROW = {"en": "Row {row_no}: {sentences}", "zh-Hans": "第 {row_no} 行：{sentences}"}


class _Gaps(Formatter):
    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key, "")


def what_is_wrong(row_no: int, errors: list[dict[str, Any]], language: str) -> str:
    """Everything that is wrong with a row, as one text."""
    sentences = [_Gaps().format(SENTENCES[language].get(one["code"], one["code"]), **one["params"]) for one in errors]
    return _ROW[language].format(row_no=row_no, sentences=" ".join(sentences))
