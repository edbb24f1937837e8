"""Map the decoder's probability of a word to the share of such words that are right.

Platt scaling of the logit (Platt, 1999; Guo, Pleiss, Sun and Weinberger, ICML 2017): two parameters
per model, fitted by benchmarks/confidence.py and kept with the model in the manifest. The mapping
is monotonic: of two words, the more confident one stays the more confident. Pure.
"""

from __future__ import annotations

import math
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field


class Calibration(BaseModel):
    """A linear map of log odds: those of being right are `slope` times the decoder's plus `offset`.

    A slope below 1 draws confidences together; an offset above 0 raises them. The defaults leave
    every probability unchanged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slope: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    offset: Annotated[float, Field(ge=-10, le=10, allow_inf_nan=False)] = 0.0

    def __call__(self, probability: float) -> float:
        """Return the calibrated probability; 0 and 1 stay unchanged."""
        # Rounding errors can put it slightly above 1.
        inside = min(max(probability, 0.0), 1.0)
        right = math.exp(self.offset) * math.pow(inside, self.slope)
        return right / (right + math.pow(1.0 - inside, self.slope))


RAW: Final = Calibration()
"""For models that have not been measured: no change."""
