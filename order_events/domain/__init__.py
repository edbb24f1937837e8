"""Orders, items, tables and payments: their rules and shapes, without storage or transport."""
