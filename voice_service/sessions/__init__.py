"""One guest's voice session, from `voice:start` to `voice:end`, with its audio and its order."""
