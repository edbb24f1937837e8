"""Square: its catalogue as a menu, its stock, and orders placed there.

`python -m order_events.integrations.square --help` says how to run it.
"""
