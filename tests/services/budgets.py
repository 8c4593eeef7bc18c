"""How many statements a request may take; ten unless it stands here with its reason. The number never grows with the rows."""

ALLOWED = 10
MORE: dict[str, tuple[int, str]] = {
    "POST /doses/{dose}/corrections": (11, "the row that is corrected is held and marked before the one that supersedes it is written"),
}
"""`METHOD /path` -> (statements, why)."""


def allowed(route: str) -> int:
    """What the route may take."""
    return MORE.get(route, (ALLOWED, ""))[0]
