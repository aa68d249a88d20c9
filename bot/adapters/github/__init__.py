"""The GitHub forge, on PyGithub."""
