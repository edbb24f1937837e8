"""Explains what is wrong with a message or request body to whoever sent it. Pure.

An explanation names the field and says what to do. It never repeats what was sent, because that may
be a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

LONGEST = 500
"""Most characters in an explanation."""

_NUMBER = "must be a number"
_WHOLE = "must be a whole number"
_TEXT = "must be a text"
_YES_OR_NO = "must be true or false"
_LIST = "must be a list"
_OBJECT = "must be an object"
_TIME = "must be a time, such as 2026-07-01T12:00:00Z"
_PLAIN = {
    "missing": "is missing; it is required",
    "extra_forbidden": "is not known here; leave it out",
    "string_type": _TEXT,
    "string_unicode": "must be valid Unicode",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "is too large",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "decimal_max_digits": "has too many digits",
    "decimal_max_places": "has too many digits",
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "none_required": "must be null",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have {min_length} or more characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have {min_length} or more entries",
    "too_long": "must have at most {max_length} entries",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "datetime_from_date_parsing": _TIME,
    "datetime_parsing": _TIME,
    "timezone_aware": "must end in Z, or in an offset from UTC",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
    "union_tag_not_found": "is missing; it is required",
    "value_error": "{error}",
    "json_invalid": "is not valid JSON: {error}",
}
"""Texts by pydantic's error type; braces are filled from the error's context."""
_ALTERNATIVES = frozenset({"constrained-str", "constrained-int", "str", "int"})
"""Location parts that pydantic appends for the alternatives of a union."""


def explain(problem: ValidationError, *, skip: int = 0, whole: str = "the body") -> str:
    """Return the first thing that is wrong, as `field: what must be different`.

    `skip` leading parts of the location are ours (the kind of message). `whole` names the input
    itself, for errors that belong to no single field.
    """
    errors = problem.errors(include_url=False, include_input=False)
    first = errors[0]
    place = first["loc"][skip:]
    if place and place[-1] in _ALTERNATIVES:
        alternatives = [say(e) for e in errors if e["loc"][skip:-1] == place[:-1]]
        text = f"{_where(place[:-1])}: {' or '.join(dict.fromkeys(alternatives))}"
    elif place:
        text = f"{_where(place)}: {say(first)}"
    elif first["type"].startswith("union_tag"):
        text = f"type: {say(first)}"
    elif first["type"] == "value_error":
        text = say(first)
    else:
        text = f"{whole} {say(first)}"
    return text[:LONGEST]


def say(error: Mapping[str, Any]) -> str:
    """Return what must be different, without the location."""
    template = _PLAIN.get(error["type"], "is not accepted")
    return template.format_map(error.get("ctx", {}))


def _where(place: Sequence[str | int]) -> str:
    """Return a location as `items[0].quantity`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
