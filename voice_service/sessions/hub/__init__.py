"""What a session does at the hub: its order, and what is kept of it."""
