"""Which line of the order a phrase points at."""
