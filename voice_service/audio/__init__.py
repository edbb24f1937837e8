"""Turn base64 chunks, in whatever order they arrive, into one stream of 16 kHz mono samples."""
