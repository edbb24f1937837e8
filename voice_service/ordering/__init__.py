"""Order understanding: final transcripts in, a cart against the restaurant's menu out.

Pure and deterministic: no clock, no I/O. Nothing is invented: words that carry content and are not
understood come back as reasons.
"""

from voice_service.ordering.dialogue.conversation import Conversation
from voice_service.ordering.dialogue.policy import Thresholds
from voice_service.ordering.dialogue.turns import (
    CartUpdate,
    Heard,
    HeardWord,
    Match,
    Reason,
    Status,
)
from voice_service.ordering.menu.compiled import CompiledMenu

__all__ = [
    "CartUpdate",
    "CompiledMenu",
    "Conversation",
    "Heard",
    "HeardWord",
    "Match",
    "Reason",
    "Status",
    "Thresholds",
]
