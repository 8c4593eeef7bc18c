"""How many statements a request may take; ten unless it stands here with its reason. The number never grows with the rows."""

ALLOWED = 10
_JUDGED = "the record is judged anew: doses, exemptions and statements are read, the spans are written, the dose is shown among the others"
MORE: dict[str, tuple[int, str]] = {"POST /doses": (11, _JUDGED), "POST /doses/{dose}/corrections": (13, _JUDGED)}
"""`METHOD /path` -> (statements, why)."""


def allowed(route: str) -> int:
    """What the route may take."""
    return MORE.get(route, (ALLOWED, ""))[0]
