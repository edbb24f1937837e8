"""The WebSocket protocol: messages, event filters, frames, errors and rate limits."""
