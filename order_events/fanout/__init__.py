"""Delivery of committed events to the connections subscribed to them, batched and throttled."""
