"""The subcommands of `voice-service`."""
