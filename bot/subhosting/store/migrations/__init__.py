"""The history of the schema, applied by `bot.subhosting.setup` at every start."""
