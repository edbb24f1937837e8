"""Which languages an utterance may be in, so that it is not told in another one each time. Pure."""

from __future__ import annotations


class SpokenLanguages:
    """The languages of one session: ISO 639 codes, and the one that was spoken last."""

    def __init__(self, codes: str) -> None:
        """Take codes with commas between them, the likeliest first."""
        self.codes = codes
        self._last = codes.partition(",")[0]

    def to_try(self, known: str, *, final: bool) -> str:
        """Return the codes to choose from, the likeliest first.

        `known` is the language that the utterance was last heard in, if it was. Until its final,
        the utterance keeps it: words shown in another language could not be continued.
        """
        if known and not final:
            return known
        likeliest = known or self._last
        codes = self.codes.split(",")
        return ",".join(sorted(codes, key=lambda code: code != likeliest))

    def conclude(self, language: str) -> None:
        """Note the language of a final: the next utterance is likely in the same."""
        self._last = language or self._last
