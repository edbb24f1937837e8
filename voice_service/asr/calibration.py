"""From a decoder's own probability of a word to the share of such words that are right.

Platt scaling of the logit (Platt, 1999; Guo, Pleiss, Sun and Weinberger, ICML 2017): two parameters
per model, fitted by benchmarks/confidence.py and kept with the model in the manifest. Of two words
the surer one stays the surer. Pure.
"""

from __future__ import annotations

import math
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class Calibration(BaseModel):
    """The logarithm of the odds of being right is `slope` times the decoder's, plus `offset`.

    A slope below 1 draws confidences together, an offset above 0 raises them. The defaults leave
    every probability as it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    offset: Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)] = 0.0

    def __call__(self, probability: float) -> float:
        """The calibrated value of a probability; 0 and 1 stay what they are."""
        # Rounding can lead a little beyond 1.
        inside = min(max(probability, 0.0), 1.0)
        right = math.exp(self.offset) * math.pow(inside, self.slope)
        return right / (right + math.pow(1.0 - inside, self.slope))


RAW: Final = Calibration()
"""For models of which nothing was measured."""
