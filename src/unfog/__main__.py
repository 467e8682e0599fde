"""``python -m unfog``."""

from unfog.cli.app import run

run()
