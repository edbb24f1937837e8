"""From final transcripts to a cart, against any restaurant's menu. Pure: no clock, no IO."""
