"""Event patterns, and the filters of a subscription."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from order_events.protocol import filters
from order_events.protocol.filters import EVENTS, Filters, UnknownEvent, expand


def test_patterns_stand_for_events() -> None:
    """Names, prefixes and `*`; anything else is an error."""
    orders = {"order:created", "order:updated", "order:status", "order:item_status"}
    assert expand(["order:*"]) == orders
    assert expand(["*"]) == EVENTS
    assert expand(["connected", "error", "kds:update"]) == {"kds:update"}
    for wrong in ("", "order", "order:", "order:c*", "*:created", "**", "order:**", "menu*"):
        with pytest.raises(UnknownEvent):
            expand([wrong])


values = st.lists(st.sampled_from("xyz"), min_size=1, max_size=3)

names = st.sampled_from(sorted(Filters.model_fields))


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_filters_are_all_of_the_names_and_any_of_the_values(
    wanted: dict[str, list[str]], tags: dict[str, list[str]]
) -> None:
    """A single value equals a list of one; an event without the tag does not match."""
    single = {k: v[0] if len(v) == 1 else v for k, v in wanted.items()}
    expected = all(any(v in tags.get(k, []) for v in vs) for k, vs in wanted.items())
    known = filters.tags(tags)
    assert Filters.model_validate_json(json.dumps(wanted)).match(known) is expected
    assert Filters.model_validate_json(json.dumps(single)).match(known) is expected


def test_filters_are_bounded() -> None:
    """50 values pass, 51 do not; nor do empty lists and other types."""
    Filters.model_validate({"table_id": ["x"] * 50})
    for wrong in (["x"] * 51, [], 5, [5], {"a": 1}, ["x" * 201]):
        with pytest.raises(ValidationError):
            Filters.model_validate({"table_id": wrong})
