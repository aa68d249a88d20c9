"""Use cases: intake of an event, deployment of a commit. Ports in, nothing else."""
