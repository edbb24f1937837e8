"""What a guest says about an item: its modifiers, size and number, and how sure each is."""
