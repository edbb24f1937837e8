"""Tokens, spoken numbers, spelling, and the packs of words that each language needs."""
