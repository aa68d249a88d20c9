"""What the APIs mean, said once: rules on top of the store, free of HTTP."""
