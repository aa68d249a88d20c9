"""Copies of KV databases, taken while apps write to them, kept in a folder or an S3 bucket."""
