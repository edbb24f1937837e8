"""What is said about an item: its size, count and modifiers."""
