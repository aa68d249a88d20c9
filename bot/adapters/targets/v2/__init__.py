"""What the client of Deno Deploy API v2 is made of."""
