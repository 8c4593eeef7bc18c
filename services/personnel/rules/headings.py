"""What a heading of a staff list means: Chinese or English words, in any writing, read as a field."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

DOSES = (1, 2, 3)
IDENTITY = "identity_number"
_DOSE_PARTS = (("on", "date"), ("product", "product"), ("maker", "maker"), ("lot", "lot"), ("place", "place"))
FIELDS: Mapping[str, str] = {
    "number": "Number",
    "name": "Name",
    "department": "Department",
    "employment": "Employment",
    "phone": "Phone",
    "email": "E-mail",
    "born_on": "Date of birth",
    "joined_on": "Joined on",
    "left_on": "Left on",
    "status": "Vaccination status",
    "product": "Product (all doses)",
    "maker": "Maker (all doses)",
    "place": "Place (all doses)",
    **{f"dose{n}_{part}": f"Dose {n}: {word}" for n in DOSES for part, word in _DOSE_PARTS},
    IDENTITY: "Identity number (never kept)",
}
"""Every field a column may be written to, with its English name."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


def _words(**fields: str) -> dict[str, str]:
    return {word: field for field, words in fields.items() for word in words.split()}


_EXACT = _words(
    number="工号 编号 学号 人员编号 人员编码 职工号 职工编号 员工号 员工编号 员工编码 教工号 教职工号 学员号 学员编号 工作证号"
    " number staffnumber staffno staffid staffcode employeeid employeeno employeenumber employeecode"
    " personnelnumber personnelno personnumber studentid studentnumber studentno",
    name="姓名 名字 人员姓名 职工姓名 员工姓名 学员姓名 学生姓名 name fullname staffname employeename personname",
    department="处室 部门 单位 学院 科室 院系 系部 处室名称 部门名称 单位名称"
    " 所在处室 所在部门 所属部门 所属处室 所在单位 所属单位 工作部门 工作单位"
    " department departmentname dept unit division office faculty",
    employment="用工 用工形式 用工性质 用工类型 用工类别 用工方式 编制 编制类型 编制性质 编制情况 人员类别 人员类型 人员性质 身份类别"
    " employment employmenttype employmentkind typeofemployment kindofemployment employmentstatus stafftype staffcategory contracttype",
    phone="手机 电话 手机号 手机号码 电话号码 联系电话 联系手机 联系方式 移动电话 本人电话 本人手机号"
    " phone phoneno phonenumber mobile mobileno mobilenumber mobilephone cellphone cell tel telephone contactnumber",
    email="邮箱 电子邮箱 电子邮件 邮件 邮箱地址 电子邮箱地址 电子邮件地址 邮件地址 邮箱账号 工作邮箱 个人邮箱 本人邮箱"
    " email emailaddress mail mailaddress emailaddr workemail personalemail",
    born_on="出生日期 出生年月日 出生年月 出生时间 出生 生日 dateofbirth birthdate birthday dob bornon born",
    joined_on="入职日期 入职时间 报到日期 报到时间 到岗日期 入校日期 入学日期"
    " datejoined joinedon joined joiningdate startdate hiredate dateofhire hiredon",
    left_on="离职日期 离职时间 离岗日期 离校日期 离开日期 leftdate lefton left leavingdate dateleft enddate terminationdate",
    product="疫苗名称 疫苗 疫苗产品 疫苗种类 疫苗类型 疫苗品牌 接种产品 接种疫苗 接种疫苗名称 产品 产品名称"
    " product productname vaccine vaccinename vaccineproduct vaccinebrand brand vaccinetype",
    maker="生产企业 生产厂家 生产单位 厂家 厂商 疫苗厂家 疫苗厂商 疫苗企业 疫苗生产企业 疫苗生产厂家"
    " manufacturer maker vaccinemanufacturer",
    place="接种单位 接种地点 接种地 接种点 接种医院 接种机构 接种门诊 地点"
    " place placeofvaccination vaccinationplace vaccinationsite vaccinationcenter vaccinationcentre site clinic",
    status="接种情况 接种状态 接种状况 疫苗接种情况 疫苗接种状态 新冠疫苗接种情况 是否接种 是否接种疫苗 是否已接种 未接种原因"
    " status vaccinationstatus vaccinated vaccination",
    identity_number="身份证 身份证号 身份证号码 身份证件号 身份证件号码 居民身份证号"
    " 居民身份证号码 公民身份号码 公民身份证号 证件号 证件号码 护照号 护照号码"
    " idnumber idno idcard idcardno idcardnumber nationalid nationalidnumber identitynumber identitycard"
    " identitycardnumber identityno residentid passport passportno passportnumber",
)
_ENDINGS = (
    ("身份证号", IDENTITY),
    ("身份证号码", IDENTITY),
    ("身份证", IDENTITY),
    ("工号", "number"),
    ("学号", "number"),
    ("姓名", "name"),
    ("手机号码", "phone"),
    ("手机号", "phone"),
    ("邮箱", "email"),
    ("出生日期", "born_on"),
)
_SOMEONE_ELSE = re.compile("联系人|家属|家长|紧急|负责|填表|父|母|监护|配偶|审核|上报|emergency|reporter|parent|spouse")
_PARTS = _words(
    on="日期 时间 接种日期 接种时间 接种 年月日 date dateof on given givenon dategiven vaccinationdate dateofvaccination time",
    product="疫苗 疫苗名称 疫苗产品 疫苗种类 疫苗品牌 产品 接种产品 接种疫苗 名称 品牌 种类"
    " product productname vaccine vaccinename vaccineproduct brand",
    maker="疫苗厂家 疫苗厂商 疫苗生产企业 疫苗生产厂家 生产企业 生产厂家 厂家 厂商 企业 manufacturer maker",
    lot="批号 疫苗批号 批次 批次号 疫苗批次 产品批号 lot lotno lotnumber batch batchno batchnumber",
    place="接种单位 接种地点 接种地 接种点 接种医院 接种机构 接种门诊 单位 地点 医院 place site clinic location hospital",
)
_ORDINAL = re.compile(
    r"第?([一二三四五1-5])(?:针剂|剂次|针|剂)次?|第([一二三四五1-5])次|(首)(?:针剂|剂次|针|剂|次)"
    r"|(?:the)?(first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th)(?:dose|shot|jab|vaccination|injection)|(?:dose|shot|jab)(?:no|number)?([1-5])"
)
_WHICH = {**{c: i for i, c in enumerate("一二三四五", 1)}, "首": 1, **{str(i): i for i in range(1, 6)}} | {
    word: i for i, words in enumerate(("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th"), 1) for word in words.split()
}
_NOISE = re.compile(r"[\s*:_\-·.,/\\'\"#?!、。，；;~|]+")
_BRACKETS = re.compile(r"[(\[{【〔<《][^)\]}】〕>》]*[)\]}】〕>》]")
_COUNTED = re.compile(r"^(?:q?\d{1,2}[、.:)]\s*)(?=\D)")
_COUNTERS = _set("序号 序 行号 no nr sn serialno row")
_REMARKS = _set("备注 说明 附注 remark remarks note notes comment comments")
_BARE_DOSE = _set(
    "接种日期 接种时间 vaccinationdate dateofvaccination dategiven givenon"
    " 批号 疫苗批号 批次 批次号 产品批号 lot lotno lotnumber batch batchno batchnumber"
)


@lru_cache(maxsize=2048)
def read_heading(heading: str) -> tuple[str | None, str | None]:
    """(field, note) of a heading."""
    if len(heading) > 60:  # a title or a note, not a heading
        return None, "not_recognised"
    plain = _COUNTED.sub("", unicodedata.normalize("NFKC", heading).casefold().strip())
    whole, short = _NOISE.sub("", re.sub(r"[()\[\]{}【】〔〕<>《》]", "", plain)), _NOISE.sub("", _BRACKETS.sub("", plain))
    if not whole:
        return None, "no_heading"
    for word in (whole, short):
        if word in _EXACT:
            field = _EXACT[word]
            return field, "identity_number_dropped" if field == IDENTITY else None
    for word in (whole, short):
        if found := _dose_part(word):
            return found
    if short in _COUNTERS or whole in _COUNTERS:
        return None, "row_counter"
    if short in _REMARKS:
        return None, "remarks_not_imported"
    if short in _BARE_DOSE:
        return None, "which_dose"
    if not _SOMEONE_ELSE.search(whole):
        for ending, field in _ENDINGS:
            if short.endswith(ending):
                return field, "identity_number_dropped" if field == IDENTITY else None
    return None, "not_recognised"


def _dose_part(word: str) -> tuple[str | None, str | None] | None:
    match = _ORDINAL.search(word)
    if match is None:
        return None
    ordinal = _WHICH[next(group for group in match.groups() if group)]
    rest = word[: match.start()] + word[match.end() :]
    for known in ("新冠病毒疫苗", "新冠疫苗", "新冠", "covid19", "covid", "疫苗接种", "的", "of"):
        if rest not in _PARTS:
            rest = rest.replace(known, "", 1)
    part = "on" if not rest else _PARTS.get(rest)
    if part is None:
        return None
    return (f"dose{ordinal}_{part}", None) if ordinal in DOSES else (None, "dose_beyond_third")


def names_a_dose(heading: str) -> bool:
    """A heading like "first dose", under which parts of the dose may stand."""
    field, note = read_heading(heading)
    return (note == "dose_beyond_third") or (field is not None and field.startswith("dose") and field.endswith("_on"))


def is_dose_part(heading: str) -> bool:
    """A heading like "date" or "lot", which means a dose only under the name of one."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", heading).casefold()) in _PARTS
