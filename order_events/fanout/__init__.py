"""From a committed event to the connections that want it, batched and throttled."""
