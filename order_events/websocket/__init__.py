"""Connections: the handshake, authentication, reading, writing and closing."""
