"""Each room implements ports with one vendor library; siblings never meet."""
