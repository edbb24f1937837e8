"""Which decodes share a pass through the model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from voice_service.asr.batching import BatchPolicy, next_batch
from voice_service.asr.needs import DecodeNeed, Urgency

Waiting = tuple[DecodeNeed, int]


def shape(need: DecodeNeed) -> tuple[bool, int]:
    return need.urgency.thorough, len(need.bias)


def turn(need: Waiting) -> tuple[int, float]:
    return need[0].turn


@st.composite
def needs_of_guests(draw: st.DrawFn) -> list[Waiting]:
    needs = st.builds(
        DecodeNeed,
        st.sampled_from(Urgency),
        st.integers(0, 5),
        bias=st.sampled_from(["", "a", "b"]),
    )
    return list(zip(draw(st.lists(needs, min_size=1, max_size=30)), range(30), strict=False))


@given(needs_of_guests(), st.integers(1, 8))
def test_a_batch_is_the_most_urgent_need_and_the_next_ones_like_it(
    waiting: list[Waiting], size: int
) -> None:
    """No need that fits is overtaken, none that does not fit is taken, and no place stays empty."""
    batch = next_batch(waiting, size, shape)
    fitting = [need for need in waiting if shape(need[0]) == shape(batch[0][0])]
    left = [need for need in fitting if need not in batch]
    assert all(turn(batch[0]) <= turn(need) for need in waiting)
    assert batch == sorted(batch, key=turn)
    assert len({name for _, name in batch}) == len(batch) == min(size, len(fitting))
    assert set(batch) <= set(fitting)
    assert all(turn(batch[-1]) <= turn(need) for need in left)


@given(needs_of_guests())
def test_a_batch_of_one_goes_by_urgency_and_age_alone(waiting: list[Waiting]) -> None:
    """On a CPU only the order counts: the shape of a need is not even computed."""

    def unasked(need: DecodeNeed) -> int:
        raise AssertionError(need)

    assert next_batch(waiting, 1, unasked) == [min(waiting, key=turn)]


def test_only_a_batch_with_room_waits_and_only_beside_work() -> None:
    """An idle device is never kept waiting."""
    policy = BatchPolicy(size=4, wait=0.003, devices=2)
    assert policy.longest_wait(3, in_flight=2) == 0.003
    assert policy.longest_wait(4, in_flight=2) == 0
    assert policy.longest_wait(1, in_flight=1) == 0
    assert BatchPolicy(wait=0.003).longest_wait(1, in_flight=1) == 0


@given(st.integers(0, 480_000), st.sampled_from([0.5, 5.0]))
def test_windows_are_rounded_up_to_a_step(samples: int, step: float) -> None:
    """Never down: the end of the speech would not be heard."""
    seconds = samples / 16_000
    rounded = BatchPolicy(context_step=step).context(seconds)
    assert seconds <= rounded < seconds + step
    assert rounded % step == 0
    assert BatchPolicy().context(seconds) == seconds


@given(st.integers(1, 223))
def test_prompts_come_in_few_lengths(tokens: int) -> None:
    """Never down: a name of the menu would be missing."""
    rounded = BatchPolicy(prompt_step=32).prompt(tokens)
    assert tokens <= rounded < tokens + 32
    assert rounded % 32 == 0
    assert BatchPolicy().prompt(tokens) == tokens
