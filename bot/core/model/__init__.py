"""The nouns: events, snapshots, intents, manifests, outcomes. Imports nothing of ours but kernel."""
