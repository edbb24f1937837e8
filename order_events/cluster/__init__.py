"""What several nodes of one service need to know of each other."""
