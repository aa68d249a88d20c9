"""The walls around a deployment: pure functions from what it is to what is run."""
