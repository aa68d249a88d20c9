"""previewbot: a preview URL for every branch and pull request, on Deno."""

__version__ = "0.1.0"
