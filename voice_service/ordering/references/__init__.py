"""References to what is ordered or was offered: by place, by description, or by a pronoun."""
