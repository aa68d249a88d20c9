"""Model -> text for GitHub, pages and terminals. Knows GitHub's limits, not GitHub."""
