"""Orders, items, tables and payments: their shapes and rules, without storage or transport."""
