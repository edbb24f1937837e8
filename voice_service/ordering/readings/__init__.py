"""The ways in which an utterance can be meant, given the order so far, and which of them wins."""
