"""From samples to utterances: speech detection, endpointing and stable partials."""
