"""Signing in as people do: screens that are paired once, and staff with a name and a PIN."""
