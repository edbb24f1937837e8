"""Tokens, numbers, spelling, and the language packs."""
