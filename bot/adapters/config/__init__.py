"""Configuration files of repositories, on PyYAML and pydantic."""
