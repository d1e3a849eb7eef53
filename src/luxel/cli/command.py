"""The command `luxel`: from its arguments to a verb, and from a verb's end to an exit code."""

import _thread
import io
import os
import select
import shlex
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from luxel import InputError, InputWarning, __version__
from luxel.cli.completion import completion
from luxel.cli.convert import convert
from luxel.cli.demo import demo
from luxel.cli.evaluate import evaluate
from luxel.cli.experiments import experiments
from luxel.cli.export import export
from luxel.cli.fit import fit
from luxel.cli.generate import generate
from luxel.cli.movie import movie
from luxel.cli.options import first_line, first_word, naming_options
from luxel.cli.render import render
from luxel.cli.time_limit import TIME_IS_UP, TimeIsUp, is_interrupt
from luxel.cli.training import cooldown, train
from luxel.cli.view import view

INTERRUPTED, PIPE_BROKEN = 130, 141
"""Exit codes after Ctrl-C, and where nobody reads what a verb says of its progress any more, as shells have them."""

INTERRUPT_AFTER_S = 0.1
"""By when a destructor or a callback that swallowed an interrupt is over."""

VERBS: dict[str, Callable[[list[str]], int]] = {
    verb.__name__: verb
    for verb in (
        *(generate, export, train, cooldown, evaluate, render, view, movie, fit, convert, experiments, demo),
        completion,
    )
}


def main(arguments: list[str] | None = None) -> None:
    """Run the verb and exit with its code; an error that a user can mend is one message, not a traceback.

    SIGTERM, a scheduler's way to stop a job, is taken as Ctrl-C.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    modules, words = plugins_of(arguments)
    called = " ".join(["luxel", *words[:1]])
    sys.stdout = sys.stdout or io.StringIO()  # if it is closed
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # whatever characters the terminal has not
    try:
        with handlers(), warnings_on_one_line():
            try:
                load_plugins(modules)
                code = dispatch(words)
            finally:
                flush_output()
    except KeyboardInterrupt:
        print(f"interrupted{resume_hint(arguments) if resumable(words) else ''}", file=sys.stderr)
        code = INTERRUPTED
    except TimeIsUp as end:
        print(f"{end}{resume_hint(arguments)}", file=sys.stderr)
        code = TIME_IS_UP
    except BrokenPipeError:  # `| head` has seen enough; with 2>&1 the verb may have been cut off anywhere
        code = PIPE_BROKEN if is_broken(sys.stderr) else 0
    except InputError as error:
        print(f"{called}: {naming_options(str(error), words)}", file=sys.stderr)
        code = 1
    except OSError as error:  # of files, all of which have names, or from printing
        print(f"{called}: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        code = 1
    sys.exit(code)


def resume_hint(arguments: list[str]) -> str:
    """The end of a message about a verb that has stopped and can be repeated."""
    return f"; `luxel {shlex.join(arguments)}` goes on from here"


def plugins_of(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The modules that `--plugin MODULE` names, anywhere, and the other arguments."""
    modules, others = [], []
    words = iter(arguments)
    for word in words:
        option, equals, module = word.partition("=")
        if option == "--plugin":
            modules.append(module if equals else next(words, ""))
        else:
            others.append(word)
    return modules, others


def load_plugins(modules: list[str]) -> None:
    """Import modules that register distributions of scenes."""
    if modules:
        from luxel.scene.registry import load_plugin

        for module in modules:
            load_plugin(module)


def dispatch(arguments: list[str]) -> int:
    """Run the verb; return its exit code."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(__version__)
        return 0
    verb, rest = first_word(arguments, "", "VERB", VERBS)
    return VERBS[verb](rest)


def flush_output() -> None:
    """Write out what was printed, while an error can still be told: at the interpreter's end it would be a traceback.

    What can't be written, as a disk is full or a pipe broken, is dropped, and OSError raised.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def is_broken(stream: TextIO) -> bool:
    """Whether it is a pipe whose reader has gone."""
    poll = select.poll()
    poll.register(stream.fileno(), select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def print_unless_os_error(arguments: threading.ExceptHookArgs) -> None:
    """Print what ended a thread, unless it is an OSError: TensorBoard's thread hands that on, and `main` tells it."""
    if not issubclass(arguments.exc_type, OSError):
        threading.__excepthook__(arguments)


def interrupt_again(unraisable: Any) -> None:
    """Raise a KeyboardInterrupt anew that a destructor, or a callback of C, could not pass on: once that is over."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        threading.Timer(INTERRUPT_AFTER_S, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(unraisable)


@contextmanager
def handlers() -> Iterator[None]:
    """Within, SIGTERM raises KeyboardInterrupt, unless it is already somebody's to handle, and `main` tells errors.

    None of these is lost, wherever in the program it is raised, nor told as another error.
    """
    hook, threading.excepthook = threading.excepthook, print_unless_os_error
    unraisable_hook, sys.unraisablehook = sys.unraisablehook, interrupt_again
    is_main = threading.current_thread() is threading.main_thread()
    stops = is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if stops:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except TimeIsUp:  # which a KeyboardInterrupt has become, too
        raise
    except Exception as error:
        if is_interrupt(error):
            raise KeyboardInterrupt from error
        raise
    finally:
        threading.excepthook, sys.unraisablehook = hook, unraisable_hook
        if stops:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def warnings_on_one_line() -> Iterator[None]:
    """Within, an InputWarning is one line, without the place in the program, and is told once."""
    told: set[str] = set()
    with warnings.catch_warnings():
        show = warnings.showwarning

        def tell(message: Warning | str, category: type[Warning], *place: Any, **options: Any) -> None:
            if not issubclass(category, InputWarning):
                show(message, category, *place, **options)
            elif str(message) not in told:
                told.add(str(message))
                print(f"warning: {message}", file=sys.stderr)

        warnings.showwarning = tell
        warnings.simplefilter("always", InputWarning)
        yield


def resumable(arguments: list[str]) -> bool:
    """Whether the same command again goes on where it was interrupted."""
    return arguments[:1] in (["generate"], ["export"], ["train"], ["cooldown"], ["movie"], ["fit"], ["demo"]) or (
        arguments[:2] == ["experiments", "compare"]
    )


def usage() -> str:
    """The verbs, a line each."""
    lines = [f"  luxel {name:<12} {first_line(verb)}" for name, verb in VERBS.items()]
    plugin = "  --plugin MODULE, for any verb: a Python module that registers distributions of scenes"
    return "\n".join(["usage: luxel VERB [options]      (luxel VERB --help for each)", "", *lines, "", plugin])
