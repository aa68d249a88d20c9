"""What the pipeline needs of the world, as protocols; adapters implement them."""
