"""The rule sets of fitness that several services speak of: codes and names alone. What each of them needs, personnel knows."""

from collections.abc import Mapping

NONE = "none"
"""The rule set that needs nothing: everybody is fit for it, and nobody is told so."""
NAMES: Mapping[str, Mapping[str, str]] = {
    "testing_point": {"zh-Hans": "核酸采样点", "en": "Testing point"},
    "flood_rescue": {"zh-Hans": "防汛抢险", "en": "Flood rescue"},
    NONE: {"zh-Hans": "不限", "en": "No requirement"},
}
"""Code -> what a reader of that language sees."""
CODES = tuple(NAMES)


def asks(rule: str | None) -> bool:
    """Does it ask anything of a person? Without a rule set, or with the one that needs nothing, everybody will do."""
    return rule is not None and rule != NONE
