"""Coverage: how everybody stands on a day, by department and by kind of employment, and the list of those to be urged; both as a file."""

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from gateway.i18n import language
from gateway.pages import Pages, page
from gateway.rights import may, may_everywhere, refuse_unless
from gateway.services import Said, gather, passed_on, personnel

pages = Pages()

URGED_MOST = 200  # on one page: a list that is printed should not end after a screen


def _rights(request: Request) -> dict[str, bool]:
    return {
        "coverage": may(request, "coverage.read"),
        "urge": may(request, "urge.read"),
        "standings": may_everywhere(request, "standing.read"),
        "everybody": may_everywhere(request, "coverage.read"),
    }


@pages.get("/coverage")
async def show_coverage(request: Request, on: str = "") -> Response:
    """How everybody stands on a day; a head sees how many of their own departments are to be urged today."""
    refuse_unless(request, "coverage.read")
    coverage, problem = None, None
    try:
        coverage = await personnel.get("/coverage", on=on)
    except Said as said:
        if said.status != 422:
            raise
        problem = dict(said.problem)
    status = 422 if problem else 200
    return page(request, "coverage/coverage.html", status, coverage=coverage, problem=problem, form={"on": on}, rights=_rights(request))


@pages.get("/coverage/export")
async def export_coverage(request: Request, on: str = "") -> Response:
    """The same as a workbook."""
    refuse_unless(request, "coverage.read")
    return passed_on(await personnel.file("/coverage/export", on=on, lang=language(request)))


@pages.get("/coverage/urge")
async def list_urged(
    request: Request,
    department_id: list[str] = Query(default=[]),
    page_no: int = Query(default=1, ge=1, alias="page"),
) -> Response:
    """Who is to be urged today. A head sees the names of the own department, without reasons."""
    refuse_unless(request, "urge.read")
    wanted = [one for one in department_id if one]
    urged, departments = await gather(
        personnel.get("/coverage/urge", department_id=wanted, page=page_no, page_size=URGED_MOST), personnel.try_get("/departments")
    )
    rights = _rights(request)
    mine = (departments or {}).get("items", []) if may_everywhere(request, "urge.read") else []
    form = {"department_id": wanted} if wanted else {}
    return page(request, "coverage/urge.html", urged=urged, departments=mine, form=form, rights=rights)


@pages.get("/coverage/urge/export")
async def export_urged(request: Request, department_id: list[str] = Query(default=[])) -> Response:
    """The whole list as a workbook."""
    refuse_unless(request, "urge.read")
    wanted = [one for one in department_id if one]
    return passed_on(await personnel.file("/coverage/urge/export", department_id=wanted, lang=language(request)))
