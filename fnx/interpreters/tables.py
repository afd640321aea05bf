"""`SlotTable`: one slot of all primitives, as a mapping from a primitive to its rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from fnx.core.primitive import Primitive, registry
from fnx.core.user_primitive import UserPrimitive
from fnx.errors import ArgumentTypeError

__all__ = ["SlotTable"]


class SlotTable(MutableMapping[Any, Callable[..., Any]]):
    """A slot of primitives as a mapping; what is set is the primitive's own rule.

    Rules of the primitives of fnx can be read, and not replaced.

    Parameters
    ----------
    slot : str
        The name of the slot.
    inward, outward : callable
        From a rule as JAX has it to one as the slot has it, and back.
    """

    def __init__(
        self,
        slot: str,
        inward: Callable[[Any], Any] = lambda rule: rule,
        outward: Callable[[Any], Any] = lambda rule: rule,
    ) -> None:
        self._slot = slot
        self._inward, self._outward = inward, outward

    def __setitem__(self, primitive: Any, rule: Callable[..., Any]) -> None:
        if not isinstance(primitive, UserPrimitive):
            raise ArgumentTypeError(
                f"interpreters: rules can be set on primitives of one's own, not on {primitive!r}. "
                "Wrap the function in custom_jvp or custom_vjp, or make a core.Primitive."
            )
        setattr(primitive, self._slot, self._inward(rule))

    def __getitem__(self, primitive: Any) -> Callable[..., Any]:
        found = getattr(primitive, self._slot, None)
        if not callable(found):
            raise KeyError(primitive)
        rule: Callable[..., Any] = self._outward(found)
        return rule

    def __delitem__(self, primitive: Any) -> None:
        self[primitive]
        self[primitive] = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Primitive]:
        """The primitives of fnx with such a rule; a user's are known to the user alone."""
        return (p for p in registry.values() if p in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)
