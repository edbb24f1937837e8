"""The HTTP API `/v1` and the staff's web pages."""
