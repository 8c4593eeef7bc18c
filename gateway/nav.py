"""Where one can go, by role: the rail at the desk, the tab bar and the page of everything on the phone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.i18n import N_
from shared.policy import ACTIONS, OWN

TABS = 5  # what fits under a thumb at 320 px
FOURTH = "/operations"  # of whoever may open it, before what is one's own: that is reached from `Today`, too


@dataclass(frozen=True)
class Item:
    """One entry. `action`: what one must be allowed for others than oneself; none: everyone signed in. `place`: both, desk or phone.

    `of_person`: it shows what a person of the staff list has, so an account from the set-up, which is nobody's yet, is not led there.
    """

    href: str
    icon: str
    label: str
    group: str
    action: str = ""
    place: str = "both"
    of_person: bool = False


MINE, DUTY, DISPATCH, PEOPLE, SYSTEM = N_("Mine"), N_("Duty"), N_("Deployments"), N_("People"), N_("System")

ITEMS = (
    Item("/", "today", N_("Today"), MINE),
    Item("/inbox", "bell", N_("Notices"), MINE),
    Item("/notices", "send", N_("Issued notices"), MINE, "notice.progress"),
    Item("/myshifts", "history", N_("My shifts"), MINE, of_person=True),
    Item("/rosters", "shield", N_("Roster"), DUTY, of_person=True),
    Item("/calls", "phone", N_("Whom to call"), DUTY, "call_list.read"),
    Item("/gaps", "warn", N_("Gaps"), DUTY, "roster.plan"),
    Item("/posts", "settings", N_("Posts"), DUTY, "post.change", "desk"),
    Item("/operations", "monitor", N_("Operations"), DISPATCH, "board.read"),
    Item("/openings", "user-plus", N_("Open places"), DISPATCH, "candidate.read"),
    Item("/teams", "people", N_("Teams"), DISPATCH, "team.read", "desk"),
    Item("/people", "people", N_("People"), PEOPLE, "person.search"),
    Item("/coverage", "chart", N_("Coverage"), PEOPLE, "coverage.read"),
    Item("/imports", "upload", N_("Import"), PEOPLE, "import.run", "desk"),
    Item("/exemptions", "sheet", N_("Exemptions"), PEOPLE, "exemption.decide"),
    Item("/remarks", "message", N_("Remarks"), PEOPLE, "remark.answer"),
    Item("/accounts", "key", N_("Accounts"), SYSTEM, "account.read"),
    Item("/roles", "shield", N_("Roles"), SYSTEM, "role.read"),
    Item("/clients", "plug", N_("API clients"), SYSTEM, "client.read"),
    Item("/webhooks", "send", N_("Webhooks"), SYSTEM, "webhook.change", "desk"),
    Item("/system", "activity", N_("System state"), SYSTEM, "system.read"),
    Item("/institution", "settings", N_("Settings"), SYSTEM, "institution.change"),
    Item("/me", "me", N_("Me"), MINE, "", "phone"),
)
LIES_UNDER = {"departments": "/people", "shifts": "/operations", "attendance": "/operations", "sites": "/operations"}
MENU = Item("/menu", "list", N_("More"), MINE, "", "phone")


def items_for(roles: Collection[str], is_person: bool = True) -> list[Item]:
    """What these roles may open, in the order of the rail."""
    allowed = (item for item in ITEMS if not item.action or any(ACTIONS[item.action].get(role, OWN) != OWN for role in roles))
    return [item for item in allowed if is_person or not item.of_person]


def tabs_of(items: Sequence[Item]) -> list[Item]:
    """What stands in the tab bar of a phone, the fourth by the role. What does not fit is behind `More`; `Me` is then there, too."""
    if len(items) <= TABS and all(item.place != "desk" for item in items):
        return list(items)
    shown = [item for item in items if item.place == "both"]
    fourth = next((item for item in shown if item.href == FOURTH), shown[TABS - 2])
    return [*shown[: TABS - 2], fourth, MENU]


def current(path: str, items: Sequence[Item]) -> str:
    """The href of the entry a path lies under: the longest that fits; the empty word when none does."""
    path = LIES_UNDER.get(path.split("/")[1], path)
    under = [item.href for item in items if path == item.href or (item.href != "/" and path.startswith(item.href + "/"))]
    return max(under, key=len, default="")
