"""Which wishes go through the model together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_service.asr.batching import BatchPolicy, together
from voice_service.asr.needs import DecodeNeed, Urgency

Wish = tuple[DecodeNeed, int]


def shape(want: DecodeNeed) -> tuple[bool, int]:
    return want.urgency.thorough, len(want.bias)


def order(wish: Wish) -> tuple[int, float]:
    return wish[0].turn


@st.composite
def wishes(draw: st.DrawFn) -> list[Wish]:
    wants = st.builds(
        DecodeNeed,
        st.sampled_from(Urgency),
        st.integers(0, 5),
        bias=st.sampled_from(["", "a", "b"]),
    )
    return list(zip(draw(st.lists(wants, min_size=1, max_size=30)), range(30), strict=False))


@given(wishes(), st.integers(1, 8))
def test_a_batch_is_the_most_urgent_wish_and_the_next_ones_like_it(
    waiting: list[Wish], size: int
) -> None:
    """Nobody who fits is overtaken, nobody who does not fit rides along, no place stays empty."""
    batch = together(waiting, size, shape)
    fitting = [wish for wish in waiting if shape(wish[0]) == shape(batch[0][0])]
    left = [wish for wish in fitting if wish not in batch]
    assert all(order(batch[0]) <= order(wish) for wish in waiting)
    assert batch == sorted(batch, key=order)
    assert len({name for _, name in batch}) == len(batch) == min(size, len(fitting))
    assert set(batch) <= set(fitting)
    assert all(order(batch[-1]) <= order(wish) for wish in left)


@given(wishes())
def test_alone_everybody_goes_by_urgency_and_age(waiting: list[Wish]) -> None:
    """On a CPU nothing but the order counts: what a wish is like is not even asked."""

    def unasked(want: DecodeNeed) -> int:
        raise AssertionError(want)

    assert together(waiting, 1, unasked) == [min(waiting, key=order)]


def test_only_a_batch_with_room_waits_and_only_beside_work() -> None:
    """A device that has nothing to do is not kept waiting."""
    policy = BatchPolicy(size=4, wait=0.003, devices=2)
    assert policy.patience(3, in_flight=2) == 0.003
    assert policy.patience(4, in_flight=2) == 0
    assert policy.patience(1, in_flight=1) == 0
    assert BatchPolicy(wait=0.003).patience(1, in_flight=1) == 0


@given(st.integers(0, 480_000), st.sampled_from([0.5, 5.0]))
def test_windows_are_rounded_up_to_a_step(samples: int, step: float) -> None:
    """Never down: what was said at the end would not be heard."""
    seconds = samples / 16_000
    rounded = BatchPolicy(context_step=step).context(seconds)
    assert seconds <= rounded < seconds + step
    assert rounded % step == 0
    assert BatchPolicy().context(seconds) == seconds


@given(st.integers(1, 223))
def test_prompts_come_in_few_lengths(tokens: int) -> None:
    """Never less: a name of the menu would be missing."""
    rounded = BatchPolicy(prompt_step=32).prompt(tokens)
    assert tokens <= rounded < tokens + 32
    assert rounded % 32 == 0
    assert BatchPolicy().prompt(tokens) == tokens


def test_finals_go_first_but_do_not_starve_those_who_begin_to_speak() -> None:
    """The last to wait is the partial that follows others, however old it is."""
    wants = [
        DecodeNeed(Urgency.PARTIAL, 0.0),
        DecodeNeed(Urgency.SPECULATIVE, 9.0),
        DecodeNeed(Urgency.FINAL, 10.0),
        DecodeNeed(Urgency.FIRST_PARTIAL, 9.9),
        DecodeNeed(Urgency.FIRST_PARTIAL, 9.7),
    ]
    turns = sorted(wants, key=lambda want: want.turn)
    assert [(w.urgency.name, w.since) for w in turns] == [
        ("FIRST_PARTIAL", 9.7),
        ("FINAL", 10.0),
        ("FIRST_PARTIAL", 9.9),
        ("SPECULATIVE", 9.0),
        ("PARTIAL", 0.0),
    ]
