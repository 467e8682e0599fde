"""The command line: one file per door, nothing heavy imported before it is needed."""

from unfog.cli.app import main

__all__ = ["main"]
