"""The HTTP faces of the service: one folder per protocol, one file per resource, all thin."""
