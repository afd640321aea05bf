"""`breakpoint`: stop in a traced program when its values are known, and look around.

The user's frames are captured where the function is traced, and their values travel to a callback,
which reads commands while the program runs.  Read next: `callbacks`.
"""

from __future__ import annotations

import cmd
import linecache
import pprint
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

from fnx import tree_util
from fnx.control.callbacks import debug_callback
from fnx.core.conversion import is_arraylike
from fnx.core.tracing import Tracer
from fnx.errors import is_internal_file

__all__ = ["breakpoint"]


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is known of a frame beside its local values."""

    file: str
    line: int
    function: str
    names: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file}({self.line}) {self.function}"


def _user_frames(count: int | None) -> list[FrameType]:
    """The running frames that aren't the library's, the innermost first."""
    found: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (count is None or len(found) < count):
        if not is_internal_file(frame.f_code.co_filename):
            found.append(frame)
        frame = frame.f_back
    return found


def _values(frame: FrameType) -> tuple[dict[str, Any], dict[str, Any]]:
    """Local trees of arrays, and all other locals; without tracers of transforms that ended."""
    arrays: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in frame.f_locals.items():
        try:
            leaves = tree_util.tree_leaves(value)
        except (TypeError, ValueError):  # a dict whose keys have no order, say
            others[name] = value
            continue
        if any(isinstance(x, Tracer) and not x._trace.alive for x in leaves):
            continue
        if leaves and all(is_arraylike(x) for x in leaves):
            arrays[name] = value
        else:
            others[name] = value
    return arrays, others


class _Debugger(cmd.Cmd):
    """Reads commands; every method that begins with ``do_`` is one."""

    prompt = "(fdb) "

    def __init__(self, frames: Sequence[_Frame], values: Sequence[dict[str, Any]]) -> None:
        super().__init__(stdin=sys.stdin, stdout=sys.stdout)
        terminal = sys.__stdin__
        self.use_rawinput = terminal is not None and sys.stdin is terminal and terminal.isatty()
        self.frames = frames
        self.values = values
        self.at = 0
        self.given_up = False

    def say(self, text: str) -> None:
        """Write a line."""
        self.stdout.write(text + "\n")

    def evaluated(self, text: str) -> tuple[bool, Any]:
        """The value of an expression in the frame, and whether it has one."""
        frame = self.frames[self.at]
        try:
            return True, eval(text, frame.names, self.values[self.at])
        except Exception as error:
            self.say(f"*** {type(error).__name__}: {error}")
            return False, None

    def do_p(self, text: str) -> None:
        """p EXPRESSION: print its value."""
        known, value = self.evaluated(text)
        if known:
            self.say(repr(value))

    def do_pp(self, text: str) -> None:
        """pp EXPRESSION: print its value over several lines."""
        known, value = self.evaluated(text)
        if known:
            self.say(pprint.pformat(value))

    def do_u(self, text: str) -> None:
        """u: to the frame that called this one."""
        self.move(1)

    def do_d(self, text: str) -> None:
        """d: to the frame that this one called."""
        self.move(-1)

    do_up, do_down = do_u, do_d

    def move(self, step: int) -> None:
        """Go to another frame, if there is one."""
        if not 0 <= self.at + step < len(self.frames):
            self.say("*** no such frame")
            return
        self.at += step
        self.say(f"> {self.frames[self.at]}")

    def do_l(self, text: str) -> None:
        """l: the source around this line."""
        frame = self.frames[self.at]
        for line in range(max(1, frame.line - 5), frame.line + 6):
            source = linecache.getline(frame.file, line)
            if source:
                self.say(f"{'->' if line == frame.line else '  '} {line:4}  {source.rstrip()}")

    do_list = do_l

    def do_bt(self, text: str) -> None:
        """bt: all frames, this one marked."""
        for k, frame in enumerate(self.frames):
            self.say(f"{'>' if k == self.at else ' '} {frame}")

    def do_a(self, text: str) -> None:
        """a: the names that have values here."""
        self.say(", ".join(sorted(self.values[self.at])))

    def do_c(self, text: str) -> bool:
        """c: go on."""
        return True

    do_continue = do_cont = do_c

    def do_q(self, text: str) -> bool:
        """q: stop the program."""
        self.given_up = True
        return True

    do_quit = do_exit = do_q

    def do_EOF(self, text: str) -> bool:
        """The end of the input: go on."""
        return True

    def emptyline(self) -> bool:
        """Nothing, where the base class repeats the last command."""
        return False

    def default(self, line: str) -> None:
        """What is no command is an expression."""
        self.do_p(line)


def breakpoint(
    *,
    backend: str | None = None,
    filter_frames: bool = True,
    num_frames: int | None = None,
    ordered: bool = False,
    token: None = None,
    **kwargs: Any,
) -> None:
    """Stop here when the program runs, and read commands: ``p x``, ``u``, ``d``, ``c``, ``help``.

    Parameters
    ----------
    backend : str, optional
        Accepted for programs written for JAX; there is the command line.
    filter_frames : bool
        Accepted for programs written for JAX; frames of the library are left out.
    num_frames : int, optional
        How many frames can be looked at; all by default.
    ordered : bool
        As of `debug.callback`.
    token : None
        Accepted for programs written for JAX.
    **kwargs
        Options of other back ends.

    Raises
    ------
    SystemExit
        The command ``q`` was given.
    """
    frames: list[_Frame] = []
    arrays: list[dict[str, Any]] = []
    rest: list[dict[str, Any]] = []
    for frame in _user_frames(num_frames):
        code = frame.f_code
        frames.append(_Frame(code.co_filename, frame.f_lineno, code.co_name, frame.f_globals))
        known, others = _values(frame)
        arrays.append(known)
        rest.append(others)

    def stop(given: list[dict[str, Any]]) -> None:
        values = [{**others, **known} for others, known in zip(rest, given, strict=True)]
        debugger = _Debugger(frames, values)
        debugger.say(f"Stopped at {frames[0] if frames else 'a breakpoint'}")
        debugger.cmdloop()
        if debugger.given_up:
            raise SystemExit("debug.breakpoint: the program was stopped by the command q.")

    debug_callback(stop, arrays, ordered=ordered)
