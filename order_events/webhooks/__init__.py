"""Sends a restaurant's events to addresses of its own: one more reader of the history for each."""
