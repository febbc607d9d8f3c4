"""The command `wdgate`: reads the command line, runs one command, answers with an exit code.

Nothing heavy is imported before the command line is understood, so that `wdgate --help` answers at once.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence

from data_checks.errors import CannotProceed, Refused
from flows.arguments import parse, parser
from flows.interrupting import end_soon_when_interrupted, exit_code
from flows.settings import apply, read_settings
from wdgate import __version__


def main(words: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        words: the command line without the program's name; that of the process where nothing is given.

    Returns:
        0 when it was done, 1 when it was refused, 2 when it could not be carried out.
    """
    arguments = parse(words)
    if arguments.version or not arguments.command:
        print(f"wdgate {__version__}" if arguments.version else parser().format_help())
        return 0 if arguments.version else 2
    try:
        settings = read_settings()
        apply(settings)
        # A server that is away is told in a sentence, and not in a line for each attempt besides.
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        end_soon_when_interrupted()
        from flows import commands

        return commands.COMMANDS[arguments.command](arguments, settings)
    except Refused as refusal:
        return _end(1, refusal, arguments)
    except CannotProceed as error:
        return _end(2, error, arguments)
    except KeyboardInterrupt:
        return exit_code()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an exit code of 0 or 1 would be an answer
        return _end(2, _unexpected(error), arguments)


def _unexpected(error: BaseException) -> str:
    from flows.mistakes import sentence_of

    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    sentence = sentence_of(error)
    if sentence is None:
        traceback.print_exception(error)
    return sentence or f"a defect of wdgate, please report it: {type(error).__name__}: {error}"


def _end(code: int, message: object, arguments: Namespace) -> int:
    print(f"wdgate: {message}", file=sys.stderr)
    if getattr(arguments, "json", False):
        print(
            json.dumps({"outcome": "refused" if code == 1 else "error", "sentence": str(message)}, indent=2)
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
