"""The order so far, how each act changes it, and which lines a reference means."""
