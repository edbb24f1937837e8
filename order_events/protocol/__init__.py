"""The messages of the root WebSocket, their framing, errors and limits."""
