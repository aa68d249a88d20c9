"""Leaf room, open to all: clocks, ids, git's hash, safe paths, redaction, child processes."""
