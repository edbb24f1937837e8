"""Authentication and authorization: tokens, key sets, roles and revocations."""
