"""What the bot thinks: pure functions over values; no IO, clock, dice or environment."""
