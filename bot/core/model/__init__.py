"""The nouns: events, snapshots, intents, manifests, outcomes. Imports only kernel."""
