"""Symbolic integer arithmetic: the positions at which elements are read and written.

A `Position` is a linear combination of atoms (loop variables, quotients, remainders, integers
from data) with coefficients that are polynomials in *sizes*. A size is a number that became an
argument of the kernel: every int except 0 and +-1 does, by value, in the order of its first use,
so that two programs that differ only in extents have the same text. What goes in: index
arithmetic of the element rules (the protocol `fnx.core.lowering.Index`). What comes out:
canonical positions, in which the quotients and remainders of a reshape have cancelled. Values are
known while code is generated, so a simplification may look at them: keys are made from the
resulting text. Read next: `loops` (the language that uses positions), `expressions` (who makes
them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Atom", "Coefficient", "Position", "Space", "coefficient_sizes"]

Coefficient = tuple[tuple[tuple[int, ...], int], ...]
"""A polynomial in sizes: ((size numbers of the monomial), factor), sorted."""

ZERO: Coefficient = ()
ONE: Coefficient = (((), 1),)

_Terms = tuple[tuple["Atom", Coefficient], ...]


class Atom:
    """An indivisible part of a position.

    Attributes
    ----------
    kind : str
        ``loop``, ``quotient``, ``remainder`` or ``datum``.
    parts : tuple
        loop: (name, extent coefficient); quotient, remainder: (position, size number);
        datum: (value of the loop language,).
    low, high : int or None
        Bounds known while code is generated, both included.
    free : frozenset of Atom
        The loop variables that it depends on.
    """

    __slots__ = ("free", "high", "kind", "low", "number", "parts")

    def __init__(
        self,
        kind: str,
        parts: tuple[Any, ...],
        low: int | None,
        high: int | None,
        number: int,
        free: frozenset[Atom] | None,
    ) -> None:
        self.kind = kind
        self.parts = parts
        self.low = low
        self.high = high
        self.number = number
        self.free: frozenset[Atom] = frozenset((self,)) if free is None else free

    def __repr__(self) -> str:
        return f"{self.kind}{self.parts}"


class Space:
    """The sizes and atoms of one kernel under construction."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self._numbers: dict[int, int] = {}
        self._atoms: dict[Any, Atom] = {}
        self._positions: dict[Any, Position] = {}

    def size(self, value: int) -> Coefficient:
        """The coefficient that stands for an int."""
        value = int(value)  # also of NumPy's integers
        if value == 0:
            return ZERO
        if value in (1, -1):
            return (((), value),)
        return (((self.size_number(abs(value)),), 1 if value > 0 else -1),)

    def size_number(self, value: int) -> int:
        """The number of the size with this value (at least 2)."""
        number = self._numbers.get(value)
        if number is None:
            number = self._numbers[value] = len(self.values)
            self.values.append(value)
        return number

    def number(self, value: int) -> Position:
        """A position that is just a number."""
        return self.position((), self.size(value))

    def loop(self, name: str, extent: int) -> Atom:
        """The loop variable of a name, which counts from 0 to ``extent - 1``."""
        key = ("loop", name, extent)
        atom = self._atoms.get(key)
        if atom is None:
            number = len(self._atoms)
            atom = Atom("loop", (name, self.size(extent)), 0, max(extent - 1, 0), number, None)
            self._atoms[key] = atom
        return atom

    def datum(self, value: Any, low: int | None, high: int | None) -> Position:
        """A position that is computed from data."""
        atom = self._atom("datum", (value,), low, high, value.free)
        return self.position(((atom, ONE),), ZERO)

    def of(self, atom: Atom) -> Position:
        """The position that an atom is."""
        return self.position(((atom, ONE),), ZERO)

    def value(self, coefficient: Coefficient) -> int:
        """What a coefficient is, in this instance of the kernel."""
        total = 0
        for monomial, factor in coefficient:
            for number in monomial:
                factor *= self.values[number]
            total += factor
        return total

    def position(self, terms: _Terms, constant: Coefficient) -> Position:
        """The one position with these terms."""
        key = (terms, constant)
        found = self._positions.get(key)
        if found is None:
            found = self._positions[key] = Position(self, terms, constant)
        return found

    def _atom(
        self,
        kind: str,
        parts: tuple[Any, ...],
        low: int | None,
        high: int | None,
        free: frozenset[Atom],
    ) -> Atom:
        key = (kind, *parts)
        atom = self._atoms.get(key)
        if atom is None:
            atom = self._atoms[key] = Atom(kind, parts, low, high, len(self._atoms), free)
        return atom


class Position:
    """A linear combination of atoms; made by its `Space`, one object for one meaning."""

    __slots__ = ("constant", "free", "high", "low", "space", "terms")

    def __init__(self, space: Space, terms: _Terms, constant: Coefficient) -> None:
        self.space = space
        self.terms = terms
        self.constant = constant
        low: int | None = space.value(constant)
        high = low
        free: frozenset[Atom] = frozenset()
        for atom, coefficient in terms:
            factor = space.value(coefficient)
            free |= atom.free
            first, last = (atom.low, atom.high) if factor >= 0 else (atom.high, atom.low)
            low = None if low is None or first is None else low + factor * first
            high = None if high is None or last is None else high + factor * last
        self.low = low
        self.high = high
        self.free = free

    def __add__(self, other: Position | int) -> Position:
        if not isinstance(other, Position):
            if other == 0:
                return self
            other = self.space.number(other)
        if not other.terms and not other.constant:
            return self
        if not self.terms and not self.constant:
            return other
        sums = dict(self.terms)
        for atom, coefficient in other.terms:
            before = sums.get(atom)
            sums[atom] = coefficient if before is None else _add(before, coefficient)
        constant = _add(self.constant, other.constant)
        return _recombined(self.space, _sorted_terms(sums), constant)

    __radd__ = __add__

    def __neg__(self) -> Position:
        return self * -1

    def __sub__(self, other: Position | int) -> Position:
        return self + (other * -1 if isinstance(other, Position) else -other)

    def __rsub__(self, other: int) -> Position:
        return self * -1 + other

    def __mul__(self, other: int | Position) -> Position:
        if isinstance(other, Position):
            if self.terms and not other.terms:
                return self.times(other.constant)
            if not self.terms:
                return other.times(self.constant)
            raise TypeError(
                "index arithmetic: a product of two positions. Multiply by a Python int, or "
                "compute with scalars and convert by `to_index`."
            )
        return self if other == 1 else self.times(self.space.size(other))

    __rmul__ = __mul__

    def times(self, factor: Coefficient) -> Position:
        """This position times a coefficient."""
        if not factor:
            return self.space.position((), ZERO)
        terms = tuple((atom, _multiply(c, factor)) for atom, c in self.terms)
        return self.space.position(terms, _multiply(self.constant, factor))

    def __floordiv__(self, divisor: int) -> Position:
        if divisor == 1:
            return self
        space, whole, rest = self.space, *_split(self, divisor)
        if _within(rest, divisor):
            return whole
        atom = space._atom(
            "quotient",
            (rest, space.size_number(divisor)),
            None if rest.low is None else rest.low // divisor,
            None if rest.high is None else rest.high // divisor,
            rest.free,
        )
        return whole + space.of(atom)

    def __mod__(self, divisor: int) -> Position:
        space = self.space
        if divisor == 1:
            return space.number(0)
        _, rest = _split(self, divisor)
        if _within(rest, divisor):
            return rest
        parts = (rest, space.size_number(divisor))
        return space.of(space._atom("remainder", parts, 0, divisor - 1, rest.free))

    def coefficient(self, atom: Atom) -> Coefficient | None:
        """The factor of a loop variable; None if the dependence on it is not linear."""
        found = ZERO
        for term, coefficient in self.terms:
            if term is atom:
                found = coefficient
            elif atom in term.free:
                return None
        return found

    def stride(self, atom: Atom) -> int | None:
        """The value of `coefficient`."""
        found = self.coefficient(atom)
        return None if found is None else self.space.value(found)

    @property
    def is_zero(self) -> bool:
        """Whether this is the number 0."""
        return not self.terms and not self.constant

    def rebuilt(
        self, replace: Callable[[Atom], Position | None], value: Callable[[Any], Any]
    ) -> Position:
        """The same position with loop variables replaced, and values of data rewritten."""
        space = self.space
        total = space.position((), self.constant)
        for atom, coefficient in self.terms:
            total = total + _rebuilt_atom(space, atom, replace, value).times(coefficient)
        return total

    def data(self) -> Iterator[Any]:
        """The values of the loop language that this position is computed from."""
        for atom, _ in self.terms:
            if atom.kind == "datum":
                yield atom.parts[0]
            elif atom.kind != "loop":
                yield from atom.parts[0].data()

    def __repr__(self) -> str:
        return f"Position({self.terms}, {self.constant})"


def coefficient_sizes(coefficient: Coefficient) -> Iterator[int]:
    """The sizes that a coefficient mentions."""
    for monomial, _ in coefficient:
        yield from monomial


def _sorted_terms(sums: dict[Atom, Coefficient]) -> _Terms:
    items = [(atom, c) for atom, c in sums.items() if c]
    if len(items) > 1:
        items.sort(key=lambda item: item[0].number)
    return tuple(items)


def _add(left: Coefficient, right: Coefficient) -> Coefficient:
    if not left:
        return right
    if not right:
        return left
    sums = dict(left)
    for monomial, factor in right:
        sums[monomial] = sums.get(monomial, 0) + factor
    return tuple(sorted((m, f) for m, f in sums.items() if f))


def _multiply(left: Coefficient, right: Coefficient) -> Coefficient:
    if left == ONE:
        return right
    if right == ONE:
        return left
    products: dict[tuple[int, ...], int] = {}
    for m1, f1 in left:
        for m2, f2 in right:
            monomial = tuple(sorted(m1 + m2))
            products[monomial] = products.get(monomial, 0) + f1 * f2
    return tuple(sorted((m, f) for m, f in products.items() if f))


def _divided(coefficient: Coefficient, number: int) -> tuple[Coefficient, Coefficient]:
    """(quotient, rest) of a coefficient by a size: monomials that contain it, and the others."""
    whole, rest = [], []
    for monomial, factor in coefficient:
        if number in monomial:
            place = monomial.index(number)
            whole.append((monomial[:place] + monomial[place + 1 :], factor))
        else:
            rest.append((monomial, factor))
    return tuple(sorted(whole)), tuple(rest)


def _split(position: Position, divisor: int) -> tuple[Position, Position]:
    """(q, r) with position = q * divisor + r, as far as the text shows divisibility."""
    space = position.space
    number = space.size_number(divisor)
    whole: dict[Atom, Coefficient] = {}
    rest: dict[Atom, Coefficient] = {}
    for atom, coefficient in position.terms:
        whole[atom], rest[atom] = _divided(coefficient, number)
    constant, left = _divided(position.constant, number)
    remaining = space.position(_sorted_terms(rest), left)
    if remaining.low is not None and remaining.low < 0:  # code divides what is not negative
        return space.number(0), position
    return space.position(_sorted_terms(whole), constant), remaining


def _within(position: Position, divisor: int) -> bool:
    low, high = position.low, position.high
    return low is not None and high is not None and low >= 0 and high < divisor


def _recombined(space: Space, terms: _Terms, constant: Coefficient) -> Position:
    """x // n * n + x % n is x: so a reshape of a contiguous array is no arithmetic at all."""
    if len(terms) > 1:
        for remainder, factor in terms:
            if remainder.kind != "remainder":
                continue
            dividend, number = remainder.parts
            wanted = _multiply(factor, (((number,), 1),))
            for quotient, coefficient in terms:
                if (
                    quotient.kind == "quotient"
                    and quotient.parts == remainder.parts
                    and coefficient == wanted
                ):
                    others = tuple(t for t in terms if t[0] not in (remainder, quotient))
                    return space.position(others, constant) + dividend.times(factor)
    return space.position(terms, constant)


def _rebuilt_atom(
    space: Space,
    atom: Atom,
    replace: Callable[[Atom], Position | None],
    value: Callable[[Any], Any],
) -> Position:
    if atom.kind == "loop":
        return replace(atom) or space.of(atom)
    if atom.kind == "datum":
        return space.datum(value(atom.parts[0]), atom.low, atom.high)
    inner = atom.parts[0].rebuilt(replace, value)
    divisor = space.values[atom.parts[1]]
    return inner // divisor if atom.kind == "quotient" else inner % divisor
