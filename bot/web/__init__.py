"""Flask: the webhook receiver, health, and one page per deployment."""
