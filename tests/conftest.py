"""What every test may rely on."""

pytest_plugins = [
    "pytester",
    "tests.plugins.postgresql",
    "tests.plugins.system_parts",
    "tests.plugins.workers",
]
