"""For every process: problem+json (RFC 9457), logs, and the types by which text and numbers come in."""

import re
import unicodedata
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

import structlog
from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from shared.refusals import FieldError, Refused

log = structlog.get_logger()

BODY_BYTES = 1_000_000
_BAD_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_VALUES = re.compile(r"(DETAIL:|invalid input for query argument \$\d+:)(?:(?!\n\n|\n\[SQL|\n  File ).)*", re.S)
_CODE = re.compile(r"(/activat(?:e|ions)/|/feeds/|/checkin/)[^/?\s\"']+")
_WALL_TIME = re.compile(r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
_BAD_NOTE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def _line(value: str) -> str:
    if _BAD_LINE.search(value):
        raise PydanticCustomError("odd_characters", "holds characters that are no text")
    return unicodedata.normalize("NFC", value).strip()


def _note(value: str) -> str:
    if _BAD_NOTE.search(value):
        raise PydanticCustomError("odd_characters", "holds characters that are no text")
    return unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()


def _wall_time(value: str) -> str:
    if not _WALL_TIME.fullmatch(value):
        raise PydanticCustomError("not_a_wall_time", "is no hour and minute")
    return value


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
"""One line of text: NFC, no controls, no lone surrogates, 1 to 200 characters."""
Note = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_note)]
"""Text of several lines, up to 2,000 characters."""
Code = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
"""A code or a number as institutions give them: letters, digits, dot, dash, underscore."""
WallTime = Annotated[
    str,
    AfterValidator(_wall_time),
    Field(description="On the institution's clock: HH:MM", json_schema_extra={"pattern": _WALL_TIME.pattern}),
]
"""An hour and a minute of whatever day."""
Secret = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_line)]
"""A password or code as it is typed."""
Count = Annotated[int, Field(ge=0, le=2_000_000_000)]
Version = Annotated[
    int, Field(ge=1, le=2_000_000_000, description="The version that was read; an older one is refused with what changed meanwhile")
]
PageNo = Annotated[int, Query(ge=1, le=100_000, description="Page, from 1")]
PageSize = Annotated[int, Query(ge=1, le=200, description="Rows a page")]
Search = Annotated[
    str | None, Query(max_length=100, description="Letters of a name, pinyin, or a number"), AfterValidator(lambda v: _line(v) if v else v)
]


class Body(BaseModel):
    """What a caller sends: unknown fields are refused, numbers are finite."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Shown(BaseModel):
    """What a service answers."""

    model_config = ConfigDict(from_attributes=True)


Row = TypeVar("Row")


class Listed(Shown, Generic[Row]):
    """A page of a list."""

    items: list[Row]
    total: int
    page: int = 1
    page_size: int = 50


SENTENCES: Mapping[str, str] = {
    "invalid": "Something in the form is wrong; each field says what.",
    "not_signed_in": "Nobody is signed in, or the session has ended.",
    "not_allowed": "Your roles do not allow this.",
    "not_found": "There is no such thing, or it is not yours to see.",
    "changed_meanwhile": "Somebody changed this in the meantime; look at what changed and decide.",
    "too_large": "What was sent is larger than this takes.",
    "too_many": "Too many tries; wait a little.",
    "not_available": "This part cannot be reached now; nothing was lost.",
    "unexpected": "Something went wrong on our side. Nothing was written; the reference number helps to find it.",
    "key_used_differently": "This Idempotency-Key was used with another body.",
    "key_malformed": "An Idempotency-Key has 1 to 100 visible characters.",
    "wrong_method": "This address does not take this method.",
    "malformed": "What was sent cannot be read.",
    "required": "This is needed.",
    "too_long": "This is longer than it may be.",
    "too_short": "This is shorter than it may be.",
    "too_small": "This is less than it may be.",
    "too_big": "This is more than it may be.",
    "unknown_field": "There is no field of this name.",
    "unknown_id": "There is nothing with this id.",
    "not_a_date": "This is no date; year-month-day is one.",
    "not_a_time": "This is no time; a date, T, hours, minutes and the offset from UTC are one.",
    "not_a_wall_time": "This is no time of a day; two digits for the hour, a colon and two for the minute are one.",
    "zone_missing": "A time needs its offset from UTC.",
    "not_a_choice": "This is none of the choices.",
    "not_a_number": "This is no number.",
    "odd_characters": "This holds characters that are no text.",
    "wrong_kind": "This is of another kind than the description says: a text, a list, an object.",
}
"""The English sentence of each code that the ground floor itself says; a service says its own beside them (app.state.sentences)."""

CODES_OF_FIELDS = {
    "missing": "required",
    "string_too_short": "required",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "extra_forbidden": "unknown_field",
    "uuid_parsing": "unknown_id",
    "uuid_type": "unknown_id",
    "date_from_datetime_parsing": "not_a_date",
    "date_parsing": "not_a_date",
    "date_type": "not_a_date",
    "date_from_datetime_inexact": "not_a_date",
    "datetime_parsing": "not_a_time",
    "datetime_from_date_parsing": "not_a_time",
    "datetime_type": "not_a_time",
    "timezone_aware": "zone_missing",
    "enum": "not_a_choice",
    "literal_error": "not_a_choice",
    "int_parsing": "not_a_number",
    "int_type": "not_a_number",
    "int_from_float": "not_a_number",
    "int_parsing_size": "not_a_number",
    "greater_than_equal": "too_small",
    "less_than_equal": "too_big",
    "string_pattern_mismatch": "odd_characters",
    "string_unicode": "odd_characters",
    "bool_parsing": "not_a_choice",
    "bool_type": "not_a_choice",
    "string_type": "wrong_kind",
    "list_type": "wrong_kind",
    "dict_type": "wrong_kind",
    "model_type": "wrong_kind",
    "model_attributes_type": "wrong_kind",
    "json_invalid": "malformed",
}


def problem(
    request: Request,
    status: int,
    code: str,
    params: Mapping[str, Any] | None = None,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """An answer that says what is wrong, as RFC 9457 has it, with our code and the reference number."""
    body = {
        "type": "about:blank",
        "title": _sentence(request, code),
        "status": status,
        "code": code,
        "params": dict(params or {}),
        "errors": [
            {"field": one.field, "code": one.code, "title": _sentence(request, one.code), "params": dict(one.params)} for one in errors
        ],
        "reference": reference(request),
    }
    return JSONResponse(body, status, headers=dict(headers or {}), media_type="application/problem+json")


def _sentence(request: Request, code: str) -> str:
    own: Mapping[str, str] = getattr(getattr(request.scope.get("app"), "state", None), "sentences", {})
    return own.get(code) or SENTENCES.get(code) or code.replace("_", " ")


def reference(request: Request) -> str:
    """The number by which a person and the log speak of the same request."""
    found: str = request.scope.get("reference", "")
    return found


def invalid(wrong: RequestValidationError) -> list[FieldError]:
    """The errors of a form, without what was typed: it may be personal, or huge."""
    found = []
    for one in wrong.errors():
        where = ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0])
        limits = {name: value for name, value in (one.get("ctx") or {}).items() if name in {"max_length", "min_length", "ge", "le"}}
        code = one["type"]
        if code == "string_too_short" and limits.get("min_length", 1) > 1:
            code = "too_short"
        found.append(FieldError(where[:100], CODES_OF_FIELDS.get(code, code), limits))
    return found[:50]


def answer_problems(app: FastAPI) -> None:
    """Every exception that a handler lets through becomes a problem+json; none becomes a stack trace."""

    async def refused(request: Request, no: Exception) -> JSONResponse:
        assert isinstance(no, Refused)
        headers = {"Retry-After": str(no.params.get("seconds", 30))} if no.status in (429, 503) else None
        return problem(request, no.status, no.code, no.params, no.errors, headers)

    async def unprocessable(request: Request, wrong: Exception) -> JSONResponse:
        assert isinstance(wrong, RequestValidationError)
        found = invalid(wrong)
        if any(error.code == "malformed" for error in found):
            return problem(request, 400, "malformed")
        return problem(request, 422, "invalid", errors=found)

    async def http(request: Request, wrong: Exception) -> JSONResponse:
        assert isinstance(wrong, HTTPException)
        codes = {400: "malformed", 404: "not_found", 405: "wrong_method", 413: "too_large", 503: "not_available"}
        return problem(request, wrong.status_code, codes.get(wrong.status_code, "malformed"), headers=wrong.headers)

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(RequestValidationError, unprocessable)
    app.add_exception_handler(HTTPException, http)


def unexpected(request: Request, odd: BaseException) -> JSONResponse:
    """The last resort: 500; the log has the reason under the reference number."""
    log.error("unexpected", reference=reference(request), path=request.scope.get("path"), exc_info=odd)
    return problem(request, 500, "unexpected")


def without_values(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out of a log line what the database and its driver repeat of a row, PostgreSQL's DETAIL and the argument that did not fit; and
    the code in an address by which somebody comes in, checks in, or reads a feed."""
    return {name: _CODE.sub(r"\1…", _VALUES.sub(r"\1 …", value)) if isinstance(value, str) else value for name, value in line.items()}


def log_in_json(level: str, *, process: str) -> None:
    """One JSON line an event, ours and the libraries' alike; names, phones and addresses stay out of it."""
    import logging

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)
    plain = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    foreign = structlog.stdlib.ProcessorFormatter(
        processors=[plain, without_values, structlog.processors.JSONRenderer(ensure_ascii=False)],
        foreign_pre_chain=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(foreign)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
