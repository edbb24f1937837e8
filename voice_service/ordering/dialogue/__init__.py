"""The conversation: open questions, validation, confidence and the read-back."""
