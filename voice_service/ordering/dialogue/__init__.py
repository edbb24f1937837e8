"""The dialogue: one guest's order over many utterances, and what has to be asked about it."""
