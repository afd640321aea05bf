"""Keys that are used twice, found while a program runs (the setting ``debug_key_reuse``).

With the setting on, every public function of `fnx.random` records what it does to a key: a draw or
a split *uses it up*; `key`, `split`, `fold_in`, `clone` and `wrap_key_data` give *fresh* ones.
These are effects of the program, with the key's words as operand, so they happen where the program
comes by: in a compiled function as in an eager one, in each step of a loop, in the one branch that
is taken, for each lane of `vmap`.  A ledger keeps which words are used up; using up the same words
again raises.  With the setting off nothing is recorded.

Going by words rather than by objects, it sees through slices, copies and calls.  The price: making
the same key anew from its seed declares both copies fresh, as `clone` does.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fnx.config import settings
from fnx.control.calls import front
from fnx.core.array import Array
from fnx.core.lowering import Host
from fnx.core.primitive import HigherOrderPrimitive, Sample
from fnx.core.types import Effect
from fnx.errors import KeyReuseError, user_frame

__all__ = ["KeyEffect", "consumed", "fresh", "key_event_p"]

#: Keys that the ledger keeps; the oldest go first.
CAPACITY = 2**18


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """What happens to a key: by which function, at which line of the user's."""

    operation: str
    where: str
    uses_up: bool


class Ledger:
    """Which keys are used up, and by what."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[bytes, tuple[KeyEvent, str]] = {}

    def record(self, keys: Iterable[bytes], event: KeyEvent, running: str) -> None:
        """Note an event of some keys, and the user's line that runs.

        Raises
        ------
        KeyReuseError
            It uses up what is used up.
        """
        uses, now = self._uses, (event, running)
        with self._lock:
            for key in keys:
                before = uses.pop(key, None)
                if event.uses_up:
                    uses[key] = now
                    if before is not None:
                        raise KeyReuseError(_complaint(before, now))
            for key in list(itertools.islice(uses, max(0, len(uses) - CAPACITY))):
                del uses[key]


def _place(event: KeyEvent, running: str) -> str:
    """Where a draw is written, and in a compiled function where that was called."""
    return event.where if running == event.where else f"{event.where} (called at {running})"


def _complaint(before: tuple[KeyEvent, str], now: tuple[KeyEvent, str]) -> str:
    places = (
        f"{now[0].operation}: a random key is used again at {_place(*now)}; {before[0].operation} "
        f"used it at {_place(*before)}"
    )
    if before[0] == now[0]:
        return (
            f"{places}, in an earlier call or step, so both draw the same numbers. Split it "
            "outside (keys = random.split(key, steps)) and give each step its own key, or make one "
            "with random.fold_in(key, step)."
        )
    return (
        f"{places}, so the two are not independent. Split it first (key_a, key_b = "
        "random.split(key)), or say that it is meant, with random.clone(key)."
    )


_ledger = Ledger()


class KeyEffect(Effect):
    """A key is used up, or made; not again where a derivative computes a draw again."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("Key", ordered=True, repeatable=True, once=True)


_EFFECTS = frozenset({KeyEffect()})


def _evaluate(words: Array, *, event: KeyEvent) -> list[Array]:
    data = np.ascontiguousarray(words._data).tobytes()
    _ledger.record([data[k : k + 8] for k in range(0, len(data), 8)], event, user_frame())
    return []


def _jvp(primals: Sequence[Any], moves: Sequence[Any], **params: Any) -> Any:
    return key_event_p(*primals, **params), []


def _transpose(cts: Sequence[Any], *operands: Any, **params: Any) -> list[Any]:
    return [None] * len(operands)


def _vmap(size: int, args: Sequence[Any], dims: Sequence[Any], **params: Any) -> Any:
    return key_event_p(*front(args, dims), **params), []


def _samples(rng: np.random.Generator) -> Iterable[Sample]:
    made = KeyEvent("sampled", "here", uses_up=False)
    for shape in ((2,), (3, 2), (0, 2), (2, 3, 2)):
        words = rng.integers(0, 2**32, shape, np.uint32)
        yield Sample((words,), {"event": made})


key_event_p = HigherOrderPrimitive(
    "key_event",
    multiple_results=True,
    infer=lambda words, **params: [],
    evaluate=_evaluate,
    jvp=_jvp,
    transpose=_transpose,
    vmap=_vmap,
    jet=_jvp,
    lower=Host("the reuse of random keys is watched"),
    sample=_samples,
    effects=lambda params: _EFFECTS,
)


def consumed(operation: str, words: Any) -> Any:
    """The words of a key, which this uses up.

    Raises
    ------
    KeyReuseError
        It is used up already (with `debug_key_reuse`, when the program comes here).
    """
    if settings().debug_key_reuse:
        key_event_p(words, event=KeyEvent(operation, user_frame(), uses_up=True))
    return words


def fresh(operation: str, words: Any) -> Any:
    """The words of new keys."""
    if settings().debug_key_reuse:
        key_event_p(words, event=KeyEvent(operation, user_frame(), uses_up=False))
    return words
