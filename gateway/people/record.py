"""One person's record: read, which is put on record, and what is recorded in it: doses, their corrections, exemptions, statements."""

from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.fitness import fitness_told
from gateway.forms import Typed, form_key, typed
from gateway.pages import Pages, asked_block, page
from gateway.rights import may, may_everywhere, refuse_unless
from gateway.services import Said, gather, personnel

pages = Pages()

PROGRAMMES = ("covid19", "tetanus")
NOBODY: dict[str, Any] = {
    "person": None,
    "record": None,
    "fitness": [],
    "programmes": None,
    "programme_codes": PROGRAMMES,
    "rights_here": {},
    "entry": {},
    "entry_problem": None,
    "at": "",
    "beside": False,
}


async def record_of(request: Request, person_id: UUID) -> dict[str, Any]:
    """What the record's block shows: the health record for those who may see it, else who somebody is here."""
    rights = {
        name: may(request, name) for name in ("person.change", "dose.record", "exemption.record", "statement.record", "activation.print")
    }
    empty = {**NOBODY, "beside": asked_block(request) in ("record", "health")}
    if not may_everywhere(request, "health.read"):
        return {**empty, "rights_here": rights, "person": await personnel.get(f"/people/{person_id}")}
    health, programmes = await gather(personnel.get(f"/people/{person_id}/health"), personnel.try_kept("/programmes"))
    shown = {"person": health["person"], "record": health, "fitness": fitness_told(health["fitness"]), "programmes": programmes}
    return {**empty, "rights_here": rights, **shown}


@pages.get("/people/{person_id}")
async def show_person(request: Request, person_id: UUID) -> Response:
    """One person: their page on a phone, the same block beside the list at a desk."""
    refuse_unless(request, "person.search")
    return page(request, "people/person.html", **await record_of(request, person_id))


async def _done(request: Request, person_id: UUID, at: str, form: Typed, path: str, body: dict[str, Any], done: str) -> Response:
    """Send what was typed; then show the record with what it did, or the form with what was wrong."""
    answer = await personnel.post(path, body, key=form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/people/{person_id}?done={done}", 303)
    context = {**await record_of(request, person_id), "entry": form, "entry_problem": answer.problem, "at": at}
    return page(request, "people/person.html", answer.status_code, **context)


@pages.post("/people/{person_id}/doses")
async def record_dose(request: Request, person_id: UUID) -> Response:
    """Record a dose; the sentence on top changes with it. Which programme it is of follows from the vaccine that was chosen."""
    refuse_unless(request, "dose.record")
    form = await typed(request)
    wish = {name: form[name] for name in ("given_on", "lot", "place", "source", "note") if name in form}
    programme, _, product = str(form.get("product", "")).rpartition(":")
    wish |= {"product": product} if product else {}
    body = {**wish, "person_id": str(person_id), "programme": programme or _programme(form)}
    return await _done(request, person_id, "dose", form, "/doses", body, "dose_recorded")


def _programme(form: Typed) -> str:
    return str(form.get("programme", PROGRAMMES[0]))


@pages.post("/people/{person_id}/exemptions")
async def record_exemption(request: Request, person_id: UUID) -> Response:
    """Record an exemption, which waits for a second person."""
    refuse_unless(request, "exemption.record")
    form = await typed(request)
    wish = {name: form[name] for name in ("kind", "from_on", "until_on", "issuer", "reason") if name in form}
    if wish.get("kind") == "permanent":
        wish.pop("until_on", None)
    body = {**wish, "person_id": str(person_id), "programme": _programme(form), "certificate": "certificate" in form}
    return await _done(request, person_id, "exemption", form, "/exemptions", body, "exemption_recorded")


@pages.post("/people/{person_id}/statements")
async def record_statement(request: Request, person_id: UUID) -> Response:
    """Record what somebody said without a dose to show."""
    refuse_unless(request, "statement.record")
    form = await typed(request)
    wish = {name: form[name] for name in ("kind", "on", "note") if name in form}
    body = {**wish, "person_id": str(person_id), "programme": _programme(form)}
    return await _done(request, person_id, "statement", form, "/statements", body, "statement_recorded")


@pages.get("/people/{person_id}/doses/{dose_id}")
async def edit_dose(request: Request, person_id: UUID, dose_id: UUID) -> Response:
    """The form that corrects a dose, with what stands there now."""
    refuse_unless(request, "dose.record")
    return await _correction(request, person_id, dose_id, None, None)


@pages.post("/people/{person_id}/doses/{dose_id}")
async def correct_dose(request: Request, person_id: UUID, dose_id: UUID) -> Response:
    """Correct a dose, or take it back. What was there stays readable."""
    refuse_unless(request, "dose.record")
    form = await typed(request)
    wish: dict[str, Any] = {"note": form["note"]} if "note" in form else {}
    if "withdrawn" in form:
        wish["withdrawn"] = True
    else:
        wish |= {name: form[name] for name in ("product", "given_on") if name in form and form[name] != form.get(f"was_{name}")}
        wish |= {name: form.get(name) for name in ("lot", "place") if form.get(name) != form.get(f"was_{name}")}
    answer = await personnel.post(f"/doses/{dose_id}/corrections", wish, key=form_key(request))
    if not answer.problem:
        return RedirectResponse(f"/people/{person_id}?done=dose_corrected", 303)
    return await _correction(request, person_id, dose_id, form, answer.problem, answer.status_code)


async def _correction(request: Request, person_id: UUID, dose_id: UUID, form: Any, problem: Any, status: int = 200) -> Response:
    context = await record_of(request, person_id)
    kept = (context["record"] or {}).get("programmes", [])
    of_programme = next((one for one in kept if any(dose["id"] == str(dose_id) for dose in one["doses"])), None)
    doses = of_programme["doses"] if of_programme else []
    dose = next((one for one in doses if one["id"] == str(dose_id)), None)
    if of_programme is None or dose is None:
        raise Said(404, {"code": "not_found", "status": 404, "params": {}, "errors": []})
    newest = next((one for one in doses if one["corrects_id"] == dose["id"]), None)
    plain = {name: dose[name] or "" for name in ("product", "given_on", "lot", "place")}
    fresh = {**plain, **{f"was_{name}": value for name, value in plain.items()}}
    ruled = next((one for one in (context["programmes"] or {}).get("items", []) if one["code"] == of_programme["programme"]), None)
    context |= {"form": fresh if form is None else form, "problem": problem, "dose": dose, "newest": newest}
    context |= {"of_programme": of_programme["programme"], "products": ruled["products"] if ruled else []}
    return page(request, "people/dose.html", status, **context)
