"""The commands of `voice-service`, apart from their options, which are in `voice_service.cli`."""
