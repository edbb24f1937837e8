"""From the mentions of an utterance to dialogue acts."""
