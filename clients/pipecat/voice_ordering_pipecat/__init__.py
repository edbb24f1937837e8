"""The voice service as a speech-to-text service of Pipecat."""

from voice_ordering_pipecat.stt import VoiceOrderingSTTService

__all__ = ["VoiceOrderingSTTService"]
