"""The entry point: the table of commands, and how errors look."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from unfog.cli.compress import compress
from unfog.cli.data import data_get, data_list
from unfog.cli.demo import demo
from unfog.cli.evaluate import evaluate
from unfog.cli.explain import explain
from unfog.cli.inspect import inspect
from unfog.cli.likelihood import likelihood
from unfog.cli.sample import sample
from unfog.cli.selftest import selftest
from unfog.cli.steps import steps
from unfog.cli.train import train
from unfog.cli.write import write
from unfog.errors import Stopped, UnfogError, UsageError

COMMANDS: dict[str, Callable[..., Any]] = {
    "demo": demo,
    "train": train,
    "sample": sample,
    "write": write,
    "evaluate": evaluate,
    "likelihood": likelihood,
    "steps": steps,
    "explain": explain,
    "compress": compress,
    "inspect": inspect,
    "selftest": selftest,
}


def build() -> typer.Typer:
    """The application with all its commands."""
    app = typer.Typer(
        name="unfog",
        help="Diffusion models you can hold in your hand: train on your own pictures or texts, make new.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        epilog="Every command takes --json for machines, and --debug to see where an error came from.",
    )
    app.callback()(_options)
    for name, command in COMMANDS.items():
        app.command(name)(command)
    data = typer.Typer(
        help="Named real data sets, through the package clients of this machine.", no_args_is_help=True
    )
    data.command("list")(data_list)
    data.command("get")(data_get)
    app.add_typer(data, name="data")
    return app


def _print_version(asked: bool) -> None:
    if asked:
        from unfog.door import __version__

        print(__version__)
        raise typer.Exit


def _options(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_print_version
    ),
) -> None:
    """Options of the program itself; the work is in the callbacks."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code: 0, 1 a failure, 2 a usage error, 130 stopped by Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    arguments = [a for a in arguments if a != "--debug"]
    try:
        build()(args=arguments, prog_name="unfog")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except UnfogError as error:
        if debug:
            raise
        codes: dict[type[UnfogError], int] = {UsageError: 2, Stopped: 130}
        return _report(str(error), arguments, codes.get(type(error), 1))
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        text = f"{kind}: {error}".splitlines()[0]
        return _report(f"{text}\nThis should not happen; --debug shows where it comes from.", arguments, 1)
    return 0


def _report(text: str, arguments: Sequence[str], code: int) -> int:
    print(text if code == 130 else f"Error: {text}", file=sys.stderr)
    if "--json" in arguments:
        import json

        print(json.dumps({"error": text}))
    return code


def run() -> None:
    """What the installed script calls."""
    sys.exit(main())
