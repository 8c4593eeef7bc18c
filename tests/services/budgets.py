"""How many statements a request may take; ten unless it stands here with its reason. The number never grows with the rows."""

ALLOWED = 10
MORE: dict[str, tuple[int, str]] = {
    "POST /doses/{dose}/corrections": (12, "the row that is corrected is held and marked before the one that supersedes it is written"),
    "PATCH /people/{person}": (12, "a birthday and a last day in one: time held, calendar and removal kept, standing and fitness computed"),
    "PATCH /shifts/{shift}": (
        28,
        "everybody on it is held before it is, and judged at the new times; who stays and who goes are two kinds of rows, with bookings,"
        " an open place and whom to ask instead; roles with more, with fewer and of their own are three; rarely done, and never more with"
        " more people",
    ),
    "POST /shifts/{shift}/cancellation": (13, "everybody on it is held before it is, released, and told"),
    "POST /operations/{operation}/closing": (20, "everybody on what is to come is held before the shifts are, released, and told"),
    "POST /operations/{operation}/days/copy": (14, "the old day is read, the new one made, and everybody judged and booked for it"),
    "POST /assignments": (
        15,
        "people are held before the shift, judged by calendar and fitness, placed, booked and told",
    ),
    "POST /shifts/{shift}/signup": (15, "as when somebody is asked"),
    "POST /alerts/{assignment}/filling": (17, "as when somebody is asked, and the place that was open is closed"),
    "POST /shifts/{shift}/walkons": (15, "as when somebody is asked"),
    "POST /assignments/filling": (16, "a team is held before the shifts, judged for all of them, placed, booked and told"),
    "POST /assignments/{assignment}/answer": (16, "who declines leaves an open place, which is told with whom to ask instead"),
    "POST /assignments/{assignment}/release": (15, "whoever is taken off leaves an open place, which is told with whom to ask instead"),
    "POST /assignments/freeing": (16, "whoever is freed leaves an open place, which is told with whom to ask instead"),
    "POST /assignments/{assignment}/checkin": (11, "the person is held before the shift; the site's code and fitness are looked up"),
    "POST /assignments/{assignment}/checkout": (11, "whoever goes before the end has the rest of their time free again"),
    "POST /assignments/{assignment}/correction": (12, "the correction is written, and the person's time given back and booked as it was"),
    "PUT /rosters/{monday}/slots": (11, "places that are filled, changed and emptied are three kinds of rows; all are judged anew"),
    "PUT /rosters/{monday}/slots (published)": (
        20,
        "the people are held before the roster; duties are given up, cut and made, each with its bookings, told, and put on record",
    ),
    "POST /rosters/{monday}/publication": (
        13,
        "the people are held before the roster; everybody is judged for all there is to say, then booked",
    ),
    "POST /gaps/{gap}/filling": (14, "the person is held before the roster; a duty, its booking, the gap and the record change together"),
}
"""`METHOD /path` -> (statements, why)."""


def allowed(route: str) -> int:
    """What the route may take."""
    return MORE.get(route, (ALLOWED, ""))[0]
