"""Deno Deploy API v2: snake_case, pages by cursor, streams by Accept."""
