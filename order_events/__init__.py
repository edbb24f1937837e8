"""The order-event hub: orders, their events, and the sockets that screens read them from.

It runs without numpy or Whisper. `voice_service` builds on it, never the other way round.
"""
