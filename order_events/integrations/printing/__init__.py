"""Prints orders on a kitchen's receipt printer (ESC/POS). Needs the extra `printer`.

`python -m order_events.integrations.printing --help` says how to run it.
"""
