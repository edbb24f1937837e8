"""Speech recognition: when each session's audio is decoded, in which batch, and by Whisper."""
