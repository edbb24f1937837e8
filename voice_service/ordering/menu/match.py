"""How well a phrase matches a name of the menu, from 0 to 1."""

from __future__ import annotations

EXACT = 1.0
"""The name itself."""
ALIAS = 0.99
"""Another name that the menu gives."""
LITERAL = 0.985
"""From here on, the menu has these very words as a name."""
SYNONYM = 0.97
"""A name with a word replaced by its synonym."""
FULL = 0.9
"""From here on, a name is said in full."""
NEARLY_FULL = 0.8
"""From here on, most of a name is said: its synonym, or little less than all of it."""
HEADED = 0.7
"""Below, a name lacks its last word: "sweet" for sweet potato fries."""
