"""What the service says to guests: when, in which words, with which voice; and its own echo."""
