"""What is wrong with a message or a body, in words for whoever sent it. Pure.

A problem names the field and says what to do; what was sent is never repeated, since it may be a
token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

LONGEST = 500
"""Characters of an explanation at most."""

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
"""By pydantic's kind of error; what is in braces comes from its context."""
_ALTERNATIVES = frozenset({"constrained-str", "constrained-int", "str", "int"})
"""What pydantic adds to a place for each alternative that it tried there."""


def explain(problem: ValidationError, *, skip: int = 0, whole: str = "the body") -> str:
    """The first thing that is wrong, as `field: what must be different`.

    `skip` leading parts of the place are our own (the kind of a message), and `whole` is what the
    thing is called of which no single field is wrong.
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
    """What must be different, without the place."""
    template = _PLAIN.get(error["type"], "is not accepted")
    return template.format_map(error.get("ctx", {}))


def _where(place: Sequence[str | int]) -> str:
    """`items[0].quantity`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
