"""Where one can go, by role: the rail at the desk, the tab bar and the page of everything on the phone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gateway.i18n import N_

TABS = 5  # what fits under a thumb at 320 px


@dataclass(frozen=True)
class Item:
    """One entry. `roles` empty: everyone who is signed in. `place` says where it stands: both, desk or phone."""

    href: str
    icon: str
    label: str
    group: str
    roles: frozenset[str] = frozenset()
    place: str = "both"


MINE, PEOPLE, SYSTEM = N_("Mine"), N_("People"), N_("System")
_ABOUT_PEOPLE = frozenset({"health", "head", "reporter", "leader"})

ITEMS = (
    Item("/", "today", N_("Today"), MINE),
    Item("/people", "people", N_("People"), PEOPLE, _ABOUT_PEOPLE),
    Item("/coverage", "chart", N_("Coverage"), PEOPLE, _ABOUT_PEOPLE),
    Item("/imports", "upload", N_("Import"), PEOPLE, frozenset({"health"}), "desk"),
    Item("/exemptions", "sheet", N_("Exemptions"), PEOPLE, frozenset({"health", "leader"})),
    Item("/remarks", "message", N_("Remarks"), PEOPLE, frozenset({"health"})),
    Item("/accounts", "key", N_("Accounts"), SYSTEM, frozenset({"administrator", "health"})),
    Item("/roles", "shield", N_("Roles"), SYSTEM, frozenset({"administrator", "health"})),
    Item("/clients", "plug", N_("API clients"), SYSTEM, frozenset({"administrator", "health"})),  # a health scope waits for a second holder
    Item("/system", "activity", N_("System state"), SYSTEM, frozenset({"administrator"})),
    Item("/me", "me", N_("Me"), MINE, frozenset(), "phone"),
)
MENU = Item("/menu", "list", N_("More"), MINE, frozenset(), "phone")


def items_for(roles: Collection[str]) -> list[Item]:
    """What these roles may open, in the order of the rail."""
    return [item for item in ITEMS if not item.roles or item.roles & set(roles)]


def tabs_of(items: Sequence[Item]) -> list[Item]:
    """What stands in the tab bar of a phone. What does not fit is behind the last tab, `More`; `Me` is then there, too."""
    if len(items) <= TABS and all(item.place != "desk" for item in items):
        return list(items)
    return [*[item for item in items if item.place == "both"][: TABS - 1], MENU]


def current(path: str, items: Sequence[Item]) -> str:
    """The href of the entry a path lies under: the longest that fits; the empty word when none does."""
    under = [item.href for item in items if path == item.href or (item.href != "/" and path.startswith(item.href + "/"))]
    return max(under, key=len, default="")
