"""Dialogue acts: what an utterance orders, changes, repairs or asks, and what is only talk."""
