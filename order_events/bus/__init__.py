"""How the nodes of one service wake each other. The database is the truth; a bus only hints."""
