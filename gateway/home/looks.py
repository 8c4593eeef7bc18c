"""On which page a look happened, in words: services are told the page's address, people read its name."""

from gateway.i18n import N_

PLACES = {
    "/": N_("first page"),
    "/people": N_("list of people"),
    "/people/{}": N_("page of your record"),
    "/imports": N_("import of a staff list"),
    "/coverage": N_("coverage"),
    "/coverage/urge": N_("list of those to be urged"),
    "/urge": N_("list of those to be urged"),
    "/exemptions": N_("exemptions"),
    "/remarks": N_("remarks"),
    "/departments": N_("departments"),
    "/accounts": N_("accounts"),
    "/roles": N_("roles"),
    "/teams": N_("teams"),
    "/posts": N_("posts"),
    "/rosters": N_("roster"),
    "/notices": N_("notices"),
    "api": N_("through the API"),
}


def place_of(purpose: str) -> str:
    """The name, in English, of the page a route belongs to: the longest address it lies under."""
    if purpose == "api" or purpose == "/":
        return PLACES[purpose]
    parts = ["{}" if part.startswith("{") else part for part in purpose.strip("/").split("/")]
    for length in range(len(parts), 0, -1):
        if found := PLACES.get("/" + "/".join(parts[:length])):
            return found
    return N_("another page")
