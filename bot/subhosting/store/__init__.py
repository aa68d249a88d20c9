"""What the server remembers: rows in a database, bytes in content-addressed files."""
