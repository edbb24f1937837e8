"""From base64 chunks in any order to one stream of 16 kHz mono samples."""
