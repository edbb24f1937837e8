"""Order understanding: final transcripts in, a cart against the restaurant's menu out.

Pure and deterministic: no clock, no I/O. Nothing is invented: words that carry content and are not
understood come back as reasons.
"""

from voice_service.ordering.conversation import Conversation
from voice_service.ordering.menu import CompiledMenu
from voice_service.ordering.model import CartUpdate, Heard, HeardWord, Match, Reason, Status
from voice_service.ordering.thresholds import Thresholds

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
