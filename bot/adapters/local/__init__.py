"""A forge without GitHub: bare repositories with hooks, checks kept in our store."""
