"""What the talk about an order is focused on."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Focus:
    """The lines talked about, by their ids.

    `last`: the one talked about last. `distinguished`: those told apart in this utterance, as in
    "one of them with cheese". `current`, `previous`: those of this utterance and of the one before.
    """

    last: str | None = None
    distinguished: set[str] = field(default_factory=set)
    current: set[str] = field(default_factory=set)
    previous: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Begin a new utterance."""
        self.previous = self.current or self.previous
        self.current, self.distinguished = set(), set()

    def move_to(self, line_id: str | None) -> None:
        """Make this the line talked about last."""
        self.last = line_id
        if line_id is not None:
            self.current.add(line_id)

    @property
    def recent(self) -> set[str]:
        """The lines of this utterance so far, or else those of the one before."""
        return self.current or self.previous
