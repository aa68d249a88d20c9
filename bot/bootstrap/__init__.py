"""Composition root: settings -> adapters -> services -> processes.

One file per kind of process, so that none imports the libraries of another.
"""
