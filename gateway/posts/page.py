"""Posts: the duties that are covered every day, kept by those who plan; a leader says which give rights. Everybody reads them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.forms import Typed, form_key, typed
from gateway.i18n import N_
from gateway.pages import Pages, page
from gateway.rights import may_everywhere, refuse_unless
from gateway.services import Said, duty, gather, personnel

pages = Pages()

FIELDS = {
    "name": N_("Name of the post"),
    "starts_at_time": N_("Begins at"),
    "hours": N_("Hours"),
    "head_count": N_("People at once"),
    "counted_hours": N_("Hours that count"),
    "rest_hours": N_("Rest afterwards"),
    "place_in_list": N_("Place in the list"),
}
POOLS = ("pool_departments", "pool_people")
ASKED_AT_ONCE = 100


@pages.get("/posts")
async def list_posts(request: Request) -> Response:
    """The posts in their order, those that are retired last."""
    plans = may_everywhere(request, "post.change")
    posts, departments = await gather(duty.get("/posts", retired="true" if plans else None), personnel.try_get("/departments"))
    people = await _named([one for post in posts["items"] for one in post["pool_people"]]) if plans else {}
    names = {one["id"]: one["name"] for one in (departments or {}).get("items", [])} | people
    return page(request, "posts/list.html", posts=posts["items"], names=names, plans=plans)


@pages.get("/posts/new")
async def new_post(request: Request) -> Response:
    """The form for a post to add."""
    refuse_unless(request, "post.change")
    return await _form(request, None, {"head_count": 1, "place_in_list": 0, "hours": 24, "starts_at_time": "08:00"})


@pages.post("/posts/new")
async def add_post(request: Request) -> Response:
    """Add a post; or look for more people for its pool and show the form again as it was typed."""
    refuse_unless(request, "post.change")
    form = await typed(request, lists=POOLS)
    if "find" in form:
        return await _form(request, None, form)
    wish = {name: value for name, value in _wish(form).items() if value is not None}
    answer = await duty.post("/posts", wish, form_key(request))
    if answer.problem is None:
        return RedirectResponse("/posts?done=post_added", 303)
    return await _form(request, None, form, answer.problem, answer.status_code)


@pages.get("/posts/{post_id}")
async def edit_post(request: Request, post_id: UUID) -> Response:
    """The form with what stands there now."""
    refuse_unless(request, "post.change")
    post = await _one(post_id)
    return await _form(request, post, _plain(post))


@pages.post("/posts/{post_id}")
async def change_post(request: Request, post_id: UUID) -> Response:
    """Save. Whoever was overtaken sees what stands there now beside what was typed, and saves again or not."""
    refuse_unless(request, "post.change")
    form = await typed(request, lists=POOLS)
    if "find" in form:
        return await _form(request, await _one(post_id), form)
    answer = await duty.send("PATCH", f"/posts/{post_id}", {**_wish(form), "version": form.get("version")}, form_key(request))
    if answer.problem is None:
        return RedirectResponse("/posts?done=saved", 303)
    post = await _one(post_id)
    if answer.problem["code"] == "changed_meanwhile":
        form = Typed({**form, "version": post["version"]})
    return await _form(request, post, form, answer.problem, answer.status_code)


@pages.post("/posts/{post_id}/retirement")
async def retire_post(request: Request, post_id: UUID) -> Response:
    """Leave the post out of new rosters, or take it up again."""
    refuse_unless(request, "post.change")
    form = await typed(request)
    retired = form.get("retired") == "true"
    answer = await duty.send("PATCH", f"/posts/{post_id}", {"retired": retired, "version": form.get("version")}, form_key(request))
    if answer.problem is None:
        return RedirectResponse(f"/posts?done={'post_retired' if retired else 'saved'}", 303)
    post = await _one(post_id)
    return await _form(request, post, _plain(post), answer.problem, answer.status_code)


def _wish(form: Mapping[str, Any]) -> dict[str, Any]:
    wish: dict[str, Any] = {name: form.get(name) for name in FIELDS}
    return {**wish, "gives_rights": form.get("gives_rights") == "on", **{name: form[name] for name in POOLS}}


def _plain(post: Mapping[str, Any]) -> dict[str, Any]:
    """A post as the fields of the form."""
    plain = {name: "" if post[name] is None else f"{post[name]:g}" if isinstance(post[name], float) else post[name] for name in FIELDS}
    rights = {"gives_rights": "on"} if post["gives_rights"] else {}
    return {**plain, **rights, **{name: post[name] for name in POOLS}, "version": post["version"]}


async def _one(post_id: UUID) -> dict[str, Any]:
    found = next((one for one in (await duty.get("/posts", retired="true"))["items"] if one["id"] == str(post_id)), None)
    if found is None:
        raise Said(404, {"code": "not_found", "status": 404, "params": {}, "errors": []})
    return dict(found)


async def _named(ids: list[str]) -> dict[str, str]:
    """Who these are; a hundred at once, since they stand in an address."""
    wanted = list(dict.fromkeys(ids))
    parts = [wanted[start : start + ASKED_AT_ONCE] for start in range(0, len(wanted), ASKED_AT_ONCE)]
    found = await gather(*(duty.try_get("/people/named", ids=part) for part in parts))
    return {one["id"]: f"{one['name']} {one['number']}" for answer in found if answer for one in answer["items"]}


async def _form(request: Request, post: Mapping[str, Any] | None, form: Any, problem: Any = None, status: int = 200) -> Response:
    q = str(form.get("q", ""))
    chosen = [one for one in form.get("pool_people", []) if _is_id(one)]
    departments, named, found = await gather(
        personnel.try_get("/departments"), _named(chosen), duty.try_get("/people/named", q=q[:100]) if q else _nobody()
    )
    people = {**named, **{one["id"]: f"{one['name']} {one['number']}" for one in (found or {}).get("items", [])}}
    known = {"post": post, "departments": departments, "people": people, "found_count": None if found is None else found["total"]}
    now = _plain(post) if post and problem and problem["code"] == "changed_meanwhile" else {}
    theirs = [(name, value) for name, value in now.items() if name in FIELDS and str(value) != str(form.get(name, ""))]
    entrusts = may_everywhere(request, "post.entrust")
    return page(request, "posts/form.html", status, **known, form=form, problem=problem, labels=FIELDS, theirs=theirs, entrusts=entrusts)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


async def _nobody() -> None:
    return None
