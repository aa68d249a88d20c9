"""One file per step, oldest first by their number."""
