"""A menu compiled for reading orders: what phrases name its items, and how well they match."""
