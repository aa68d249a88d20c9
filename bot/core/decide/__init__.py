"""The verbs: (event, snapshot) -> Decision."""
