"""Mentions assembled into item requests."""
