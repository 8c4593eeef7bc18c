"""What the codes of the services mean, in sentences a person can act on. One line a code; a new code gets its line here."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from gateway.formats import day, moment, write_date, write_datetime, write_list, write_number
from gateway.i18n import N_, gettext

# {name} is taken from the code's params; dates, instants, numbers and lists are written in the page's language.
REFUSALS = {
    "not_signed_in": N_("You are signed out. Sign in and send it again."),
    "not_allowed": N_("Your roles do not allow this."),
    "not_found": N_("This does not exist, or it is not yours to see."),
    "invalid": N_("Not saved yet: something in the form is not right."),
    "too_many": N_("Too many tries. Wait a little, then try again."),
    "too_large": N_("This is too large to send."),
    "not_available": N_("This part cannot be reached now. Nothing was changed; try again in a minute."),
    "changed_meanwhile": N_("Someone else changed this while you were writing. Look at what stands there now, then decide."),
    "key_reused": N_("This form was already sent with other content. Open it anew."),
    "idempotency_conflict": N_("This form was already sent with other content. Open it anew."),
    "in_use": N_("This is still in use and cannot be removed."),
    "exists": N_("This exists already."),
    "same_person": N_("A second person has to decide this, not the one who asked."),
    "wrong_password": N_("The user name or the password is not right."),
    "locked": N_("This account is locked after too many wrong tries. The administrator can unlock it."),
    "wrong_code": N_("This code is not right, has been used, or has expired."),
    "wrong_proof": N_("These four digits or this staff number do not belong to the code."),
    "expired": N_("This has expired."),
    "own_roles": N_("Nobody changes their own roles."),
}
FIELDS = {
    "missing": N_("This is needed."),
    "required": N_("This is needed."),
    "blank": N_("This is needed."),
    "too_long": N_("This is too long: at most {max} characters."),
    "too_short": N_("This is too short: at least {min} characters."),
    "too_big": N_("At most {max}."),
    "too_small": N_("At least {min}."),
    "not_a_date": N_("This is not a date. Write it like 2021-03-12."),
    "not_a_time": N_("This is not a time. Write it like 16:30."),
    "not_a_number": N_("This is not a number."),
    "not_a_choice": N_("Choose one of the list."),
    "not_text": N_("This is not text that can be kept."),
    "forbidden_character": N_("There is a character in this that cannot be kept."),
    "in_the_future": N_("This date is still to come."),
    "before_birth": N_("This date is before the date of birth."),
    "before_first_day": N_("This date is before the vaccine existed."),
    "unknown_field": N_("This field is not known."),
    "weak": N_("This password is too easy to guess. Choose a longer one."),
}
STANDINGS = {
    "standing.complete": N_("complete"),
    "standing.due": N_("due"),
    "standing.overdue": N_("overdue"),
    "standing.in_progress": N_("in progress"),
    "standing.not_started": N_("not started"),
    "standing.exempt": N_("exempt"),
    "standing.declined": N_("declined"),
    "standing.unknown": N_("unknown"),
}
EMPLOYMENTS = {
    "employment.permanent": N_("permanent staff"),
    "employment.agency": N_("agency worker"),
    "employment.contract": N_("contract staff"),
    "employment.trainee": N_("trainee"),
    "employment.volunteer": N_("volunteer"),
}
ROLES = {
    "role.everyone": N_("staff member"),
    "role.reporter": N_("reporter"),
    "role.head": N_("head of department"),
    "role.health": N_("health records"),
    "role.leader": N_("leader"),
    "role.administrator": N_("administrator"),
}
DONE = {  # what was done, said in a toast after a redirect to ?done=<code>
    "done.saved": N_("Saved"),
    "done.dose_recorded": N_("Dose recorded"),
    "done.dose_corrected": N_("Dose corrected; the old entry stays readable"),
    "done.exemption_recorded": N_("Exemption recorded; it counts once a second person approves it"),
    "done.exemption_approved": N_("Exemption approved"),
    "done.exemption_refused": N_("Exemption refused"),
    "done.statement_recorded": N_("Statement recorded"),
    "done.remark_sent": N_("Remark sent to the health records office"),
    "done.remark_answered": N_("Remark answered"),
    "done.person_added": N_("Person added"),
    "done.import_abandoned": N_("Import given up; nothing was written"),
    "done.role_asked": N_("Asked for; a second person has to approve it"),
    "done.role_given": N_("Role given"),
    "done.role_taken": N_("Role taken back"),
    "done.unlocked": N_("Account unlocked"),
    "done.sessions_ended": N_("Sessions ended"),
    "done.password_changed": N_("Password changed"),
    "done.clock_set": N_("The demo's clock is set"),
    "done.signed_out": N_("Signed out"),
}
WORDS: dict[str, str] = {**REFUSALS, **FIELDS, **STANDINGS, **EMPLOYMENTS, **ROLES, **DONE}


class _Params(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "…"  # a sentence with a hole is better than none


def say(code: str, params: Mapping[str, Any] | None = None, lang: str = "en", otherwise: str = "") -> str:
    """The sentence of a code. A code nobody has words for says `otherwise`, the English sentence the service gave beside it."""
    template = WORDS.get(code)
    if template is None:
        return otherwise or code
    return Formatter().vformat(gettext(lang, template), (), _Params({name: written(value, lang) for name, value in (params or {}).items()}))


def written(value: Any, lang: str) -> str:
    """A param as a reader expects it: dates and instants in words, numbers grouped, lists joined, `code:` words translated."""
    if isinstance(value, Mapping):
        return str(value.get("name", ""))
    if isinstance(value, (list, tuple)):
        return write_list(lang, [written(each, lang) for each in value])
    if isinstance(value, bool) or value is None:
        return "" if value is None else gettext(lang, N_("yes") if value else N_("no"))
    if isinstance(value, (int, float)):
        return write_number(lang, value)
    text = str(value)
    if len(text) == 10 and day(text):
        return write_date(lang, text)
    if len(text) > 15 and text[4:5] == "-" and moment(text):
        return write_datetime(lang, text)
    return text


def problem_sentence(problem: Mapping[str, Any] | None, lang: str) -> str:
    """What the whole of a problem says; the empty word when there is none."""
    if not problem:
        return ""
    return say(str(problem.get("code", "")), problem.get("params") or {}, lang, str(problem.get("title", "")))


def field_sentence(problem: Mapping[str, Any] | None, field: str, lang: str) -> str:
    """What a problem says about one field of the form; the empty word when it says nothing."""
    for error in (problem or {}).get("errors") or []:
        if str(error.get("field", "")).removeprefix("body.") == field:
            return say(str(error.get("code", "")), error.get("params") or {}, lang, str(error.get("title", "")))
    return ""
