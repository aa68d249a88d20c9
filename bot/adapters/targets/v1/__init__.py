"""What the client of Subhosting API v1 is made of."""
