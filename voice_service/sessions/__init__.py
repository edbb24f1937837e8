"""One guest's conversation over `/voice-stream`, from `voice:start` to `voice:end`."""
