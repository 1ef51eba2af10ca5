"""Counting visits: tags, visits, idempotency keys, and the list of tags."""
