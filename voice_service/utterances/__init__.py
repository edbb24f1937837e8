"""Split a session's audio into utterances: speech detection, endpointing, partials and finals."""
