"""From stored content to something that can run."""
