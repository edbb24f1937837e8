"""What operators do with a data directory: check, back up, restore, upgrade."""
