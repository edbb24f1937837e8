"""WebSocket connections: handshake, authentication, reading, writing and closing."""
