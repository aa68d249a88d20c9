"""Read-only pages about deployments, and the same as JSON."""
