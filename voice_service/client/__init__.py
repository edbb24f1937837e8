"""Streams audio to `/voice-stream` as a microphone would, over lost connections.

Needs the standard library and aiohttp only.
"""

from voice_service.client.session import VoiceSession
from voice_service.client.stream import StreamFailed, VoiceStream

__all__ = ["StreamFailed", "VoiceSession", "VoiceStream"]
