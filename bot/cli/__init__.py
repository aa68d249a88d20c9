"""The previewbot command."""
