"""Revisions: never edited once released. `tables.SCHEMA_REVISION` names the newest."""
