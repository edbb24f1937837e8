"""The files of speech models: known from a manifest, found, fetched, verified and added."""
