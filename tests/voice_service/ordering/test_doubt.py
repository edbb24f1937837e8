"""The table of certainties that are set by hand."""

from __future__ import annotations

import pytest

from voice_service.ordering.doubt import Doubt


@pytest.mark.parametrize("doubt", Doubt, ids=lambda doubt: doubt.name)
def test_every_certainty_is_a_doubt_with_an_example(doubt: Doubt) -> None:
    """A certainty of 1 would be no doubt; an example says in which words it arises."""
    assert 0 < doubt.certainty < 1
    assert doubt.example.startswith("“")
