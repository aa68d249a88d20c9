"""The durable engine (DBOS Transact) behind the inbox and journal ports."""
