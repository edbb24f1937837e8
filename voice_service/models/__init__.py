"""Finding, fetching and verifying model files."""
