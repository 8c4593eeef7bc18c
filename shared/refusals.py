"""How a rule and a slice say no: with a code, so that pages can say it in the reader's language."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule says no, or what it wants noted. `params` fill the sentence that belongs to `code`."""

    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a form; `field` is its name, with dots into nested ones."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Refused(Exception):
    """Raised by slices. 422 the form is wrong, 409 the world says no, 404 not there or not yours; the transaction is rolled back."""

    def __init__(self, code: str, status: int = 409, params: Mapping[str, Any] | None = None, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(code)
        self.code, self.status, self.params, self.errors = code, status, dict(params or {}), tuple(errors)


def wrong(field_name: str, code: str, **params: Any) -> Refused:
    """One field of the form is wrong."""
    return Refused("invalid", 422, errors=[FieldError(field_name, code, params)])
