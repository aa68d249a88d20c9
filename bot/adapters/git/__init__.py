"""The source: bare mirrors read through git itself (GitPython's command wrapper)."""
