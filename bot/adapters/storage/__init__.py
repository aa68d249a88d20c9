"""The bot's own tables, on SQLAlchemy."""
