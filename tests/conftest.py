"""What every test may rely on."""

from hypothesis import settings

pytest_plugins = [
    "pytester",
    "tests.plugins.postgresql",
    "tests.plugins.system_parts",
    "tests.plugins.workers",
]

# By default an example may take 200 ms, which a busy machine exceeds; tests have time-outs.
settings.register_profile("previewbot", deadline=None)
settings.load_profile("previewbot")
