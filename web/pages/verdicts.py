"""The form by which a person judges an answer, on any page."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Form
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from web.api.schemas import NewCorrection, Seconds

Verdict = Literal["right", "wrong", "is", "trim", "add"]


def _read(
    verdict: Annotated[Verdict, Form()],
    label: Annotated[str, Form(max_length=200)] = "",
    at: Annotated[Seconds | None, Form()] = None,
    from_: Annotated[Seconds | None, Form(alias="from")] = None,
    to: Annotated[Seconds | None, Form()] = None,
    other: Annotated[str, Form(max_length=200)] = "",
    new: Annotated[bool, Form()] = False,
    start: Annotated[Seconds | None, Form()] = None,
    end: Annotated[Seconds | None, Form()] = None,
) -> NewCorrection:
    """Return what a form says; of its times those that its verdict needs."""
    is_trim = verdict == "trim"
    values: dict[str, Any] = {"new": new}
    values |= {"at": at, "start": start, "end": end} if is_trim else {"from": from_, "to": to}
    if verdict == "add":
        values |= {"add": other}
    else:
        values |= {"label": label}
    if verdict == "is":
        values |= {"is": other}
    elif verdict in ("right", "wrong"):
        values |= {verdict: True}
    try:
        return NewCorrection.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


Judgement = Annotated[NewCorrection, Depends(_read)]
"""What a form says, as a parameter of a handler."""
