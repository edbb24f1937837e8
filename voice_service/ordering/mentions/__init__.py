"""Mentions: the phrases of an utterance, each with what it names or does in the order."""
