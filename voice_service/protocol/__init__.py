"""The messages of `/voice-stream`, in both directions, and their place in the documents."""
