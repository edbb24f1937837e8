"""Phrases that name something on the menu or steer the order."""
