"""Who is calling: tokens, key sets, roles and revocations."""
