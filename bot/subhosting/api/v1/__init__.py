"""Deno's Subhosting API v1: camelCase, bare arrays, pages by number."""
