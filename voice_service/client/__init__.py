"""The microphone's side of `/voice-stream`."""
