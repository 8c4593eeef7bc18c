"""The privacy notice: what people read and accept before they come in. A new version is asked for at the next activation."""

from datetime import date
from typing import Annotated

from pydantic import Field

from services.identity.rules import NOTICE_VERSION
from shared.auth import Caller, anyone
from shared.service import Slice
from shared.web import Shown

notices = Slice(prefix="/notice", tags=["activations"])

_SAYS = {
    "zh-Hans": [
        "单位为防疫和防汛保存人员的姓名、工号、处室、人员类别、联系电话、出生日期和接种情况，"
        "还有值班、派工、签到和对通知的回复。身份证号不保存。",
        "健康记录只有本人和健康档案岗位能看。负责人只看到本处室还需要接种的人员名单。谁看过、什么时候、在哪个页面看的，本人都能查到。",
        "登录记录和登录设备会保存，用来发现别人冒用。密码只保存无法还原的形式。",
        "本人可以下载单位保存的全部信息，可以报告记录里的错误。离开单位后，记录到期删除，已上报的数字不再带姓名。",
        "依据：《中华人民共和国传染病防治法》《突发公共卫生事件应急条例》，以及单位作为用人方的义务。",
    ],
    "en": [
        "For epidemic control and flood defence the institution keeps names, staff numbers, departments, kinds of employment, "
        "phone numbers, birth dates and vaccinations; and duties, shifts, attendance and answers to notices. "
        "Identity numbers are not kept.",
        "Health records are seen by the person and by those who keep health records. A head sees only who in the own department "
        "is still to be vaccinated. Who looked, when and on which page, each person can see.",
        "Sign-ins and signed-in devices are kept, so that misuse is found. Of a password only a form that cannot be turned back is kept.",
        "You can download all that is kept about you, and report an error in it. After you leave, your record is removed when its "
        "time is over; figures already reported lose the name.",
        "Basis: the Law on Prevention and Treatment of Infectious Diseases, the Regulations on Public Health Emergencies, "
        "and the duties of an employer.",
    ],
}


class Notice(Shown):
    """The privacy notice in force."""

    version: str = Field(examples=[NOTICE_VERSION])
    from_on: date
    paragraphs: dict[str, list[str]] = Field(
        examples=[{"zh-Hans": ["健康记录只有本人和健康档案岗位能看。"], "en": ["Only you and those who keep health records see them."]}],
        description="By language: zh-Hans, en",
    )


@notices.get("")
async def show_notice(caller: Annotated[Caller, anyone("it is read before one has an account")]) -> Notice:
    """The privacy notice in force; its version goes with the activation."""
    return Notice(version=NOTICE_VERSION, from_on=date.fromisoformat(NOTICE_VERSION), paragraphs=_SAYS)
