"""Platform clients, on httpx."""
