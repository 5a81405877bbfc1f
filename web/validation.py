"""Checks what a request carries against a pydantic model; faults come back by field, translated."""

from collections.abc import Mapping
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import BadRequest

from web.answers import Problem
from web.language import gettext

M = TypeVar("M", bound=BaseModel)


class Asked(BaseModel):
    """Base of what a request may carry. Unknown keys are left alone: newer pages may send them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def query(model: type[M]) -> M:
    """Return the checked query string. Raises Problem (422)."""
    return checked(model, request.args.to_dict())


def body(model: type[M]) -> M:
    """Return the checked body, sent as JSON or by a form. Raises Problem (400, 422)."""
    if not request.is_json:
        return checked(model, request.form.to_dict())
    try:
        given = request.get_json()
    except (BadRequest, RecursionError) as e:
        raise Problem(400, "bad_json", gettext("The body is not valid JSON.")) from e
    if not isinstance(given, dict):
        raise Problem(400, "bad_json", gettext("The body must be a JSON object."))
    return checked(model, given)


def checked(model: type[M], given: Mapping[str, Any]) -> M:
    """Return what was given, checked. Raises Problem (422) with what is wrong by field."""
    try:
        return model.model_validate(given)
    except ValidationError as e:
        errors: dict[str, list[str]] = {}
        for fault in e.errors(include_url=False, include_input=False):
            field = ".".join(str(part) for part in fault["loc"]) or "body"
            errors.setdefault(field, []).append(_text(fault))
        raise Problem(422, "invalid", gettext("Some values are not valid."), errors=errors) from e


def _text(fault: Mapping[str, Any]) -> str:
    """Return what is wrong with one value, in the reader's language."""
    limits = fault.get("ctx", {})
    texts = {
        "missing": gettext("is required"),
        "int_parsing": gettext("must be a whole number"),
        "int_type": gettext("must be a whole number"),
        "bool_parsing": gettext("must be true or false"),
        "bool_type": gettext("must be true or false"),
        "string_type": gettext("must be text"),
        "greater_than_equal": gettext("must be at least %(limit)s", limit=limits.get("ge", "")),
        "less_than_equal": gettext("must be at most %(limit)s", limit=limits.get("le", "")),
        "string_too_long": gettext(
            "must have at most %(limit)s characters", limit=limits.get("max_length", "")
        ),
        "string_too_short": gettext(
            "must have at least %(limit)s characters", limit=limits.get("min_length", "")
        ),
        "extra_forbidden": gettext("cannot be changed here"),
        "not_a_line": gettext("must be one line of plain text"),
        "not_text": gettext("holds a character that is no text"),
        "not_a_phone": gettext("is not a phone number"),
        "not_an_address": gettext("is not an e-mail address"),
        "not_a_zone": gettext("is not a known time zone"),
        "not_a_day": gettext("must be a date such as 2024-12-31"),
        "not_a_service": gettext("is not an allowed push service"),
        "not_a_key": gettext("is not a key of a push subscription"),
        "string_pattern_mismatch": gettext("is not written as it should be"),
        "too_short": gettext("at least one must be chosen"),
        "literal_error": gettext("must be one of %(allowed)s", allowed=limits.get("expected", "")),
    }
    return texts.get(fault["type"]) or gettext("is not valid")
