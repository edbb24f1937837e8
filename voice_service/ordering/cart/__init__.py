"""The order so far, and how dialogue acts change it."""
