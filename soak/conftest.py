"""What every full-size run may rely on. `make soak` starts here; `make test` never does."""

pytest_plugins = ["tests.plugins.system_parts"]
