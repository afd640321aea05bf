"""Random tensors, with PyTorch's generator and algorithms: the same seed gives the same numbers.

Everything draws from a `Generator` (MT19937); without one given, from the default generator, which
`manual_seed` restarts. The distributions themselves are in `fnx_nn.random_fill` and
`random_choice`. Read next: `conversion`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fnx.numpy as jnp
from fnx_nn import random_choice, random_fill
from fnx_nn.ambient import ambient
from fnx_nn.dtypes import dtype as Dtype
from fnx_nn.generator import Generator as _Generator
from fnx_nn.tensor.creation import finished
from fnx_nn.tensor.dispatch import TensorOperation, write
from fnx_nn.tensor.elementary import require_tensor
from fnx_nn.tensor.shapes import shape_arguments
from fnx_nn.tensor.table import FUNCTIONS, METHODS, method
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = ["Generator", "default_generator", "fork_rng"]

_INT64 = np.dtype(np.int64)


class Generator(_Generator):
    """A pseudorandom generator with a state of its own.

    Parameters
    ----------
    device : str
        Only ``"cpu"``.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.rand(1, generator=torch.Generator().manual_seed(0))
    tensor([0.4963])
    """

    def get_state(self) -> Tensor:
        """The state, as a tensor of bytes."""
        return wrap(self.state_bytes())

    def set_state(self, new_state: Tensor) -> None:
        """Go back to a state.

        Parameters
        ----------
        new_state : Tensor
            From `get_state`.
        """
        self.load_state_bytes(new_state._data)


#: What random functions draw from when no generator is given.
default_generator = Generator()


@method(as_method=False)
def manual_seed(seed: int) -> Generator:
    """Restart the default generator.

    Parameters
    ----------
    seed : int
        64 bits.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> torch.manual_seed(0).initial_seed()
    0
    """
    default_generator.manual_seed(int(seed))
    return default_generator


@method(as_method=False)
def seed() -> int:
    """Restart the default generator from the system's entropy, and give the seed."""
    return default_generator.seed()


@method(as_method=False)
def initial_seed() -> int:
    """What the default generator last started from."""
    return default_generator.initial_seed()


@method(as_method=False)
def get_rng_state() -> Tensor:
    """The state of the default generator."""
    return default_generator.get_state()


@method(as_method=False)
def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator into a state.

    Parameters
    ----------
    new_state : Tensor
        From `get_rng_state`.
    """
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(enabled: bool = True) -> Iterator[None]:
    """Context manager: the default generator's state comes back at the end of the block.

    Parameters
    ----------
    enabled : bool
        Whether it does.
    """
    state = default_generator.state_bytes()
    try:
        yield
    finally:
        if enabled:
            default_generator.load_state_bytes(state)


def _source(generator: Any) -> _Generator:
    return default_generator if generator is None else generator


# -------------------------------------------------------------------------------------- new tensors


def _fresh(name: str, fill: Callable[[Any, _Generator], None], summary: str) -> None:
    def function(
        *size: Any,
        generator: Any = None,
        out: Tensor | None = None,
        dtype: Dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        kind = ambient().default_dtype if dtype is None else dtype.numpy
        data = np.empty(shape_arguments(size), kind)
        fill(data, _source(generator))
        return finished(data, requires_grad, device, out, name)

    def like(
        input: Tensor,
        *,
        dtype: Dtype | None = None,
        device: Any = None,
        requires_grad: bool = False,
        generator: Any = None,
        layout: Any = None,
        memory_format: Any = None,
    ) -> Tensor:
        kind = input._data.dtype if dtype is None else dtype.numpy
        data = np.empty(input._data.shape, kind)
        fill(data, _source(generator))
        return finished(data, requires_grad, device)

    options = (
        "generator : Generator, optional\n    Where the numbers come from.\ndtype : dtype, "
        "optional\n    Of the result.\ndevice : device or str, optional\n    Where it "
        "is.\nrequires_grad : bool\n    Whether operations on it are recorded.\nlayout, "
        "pin_memory, memory_format : optional\n    Accepted."
    )
    function.__name__ = name
    function.__doc__ = (
        f"{summary}\n\nParameters\n----------\n*size : int or sequence of int\n    The extents.\n"
        f"out : Tensor, optional\n    Where to write the result.\n{options}"
    )
    like.__name__ = f"{name}_like"
    like.__doc__ = (
        f"{summary[:-1]}, in the shape of a tensor.\n\nParameters\n----------\ninput : Tensor\n"
        f"    Its shape and dtype are taken.\n{options}"
    )
    method(as_method=False)(function)
    method(as_method=False)(like)


_fresh("rand", random_fill.uniform_, "Uniform numbers of [0, 1).")
_fresh("randn", random_fill.normal_, "Standard normal numbers.")


@method(as_method=False)
def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers of a range, all equally likely.

    Parameters
    ----------
    low, high : int
        From where, up to where exclusively; with one of them it is `high`.
    size : sequence of int
        The extents.
    generator : Generator, optional
        Where the numbers come from.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        int64 if left out.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    kind = _INT64 if dtype is None else dtype.numpy
    data = np.empty(tuple(size), kind)
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    random_fill.random_(data, _source(generator), int(low), int(high))
    return finished(data, requires_grad, device, out, "randint")


@method(as_method=False)
def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: Dtype | None = None
) -> Tensor:
    """Integers of a range in the shape of a tensor.

    Parameters
    ----------
    input : Tensor
        Its shape and dtype are taken.
    low, high : int
        From where, up to where exclusively; with one of them it is `high`.
    dtype : dtype, optional
        Another dtype.
    """
    kind = input.dtype if dtype is None else dtype
    first, end = (0, low) if high is None else (low, high)
    return randint(first, end, input._data.shape, dtype=kind)


@method(as_method=False)
def randperm(
    n: int,
    *,
    generator: Any = None,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers below n in random order.

    Parameters
    ----------
    n : int
        How many.
    generator : Generator, optional
        Where the randomness comes from.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        int64 if left out.
    device : device or str, optional
        Where it is.
    requires_grad : bool
        Whether operations on it are recorded.
    """
    data = random_choice.permutation(_source(generator), int(n))
    if dtype is not None:
        data = data.astype(dtype.numpy)
    return finished(data, requires_grad, device, out, "randperm")


@method(as_method=False)
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Any = None,
    out: Tensor | None = None,
    dtype: Dtype | None = None,
) -> Tensor:
    """Normal numbers; mean and standard deviation are numbers or tensors.

    Parameters
    ----------
    mean, std : Tensor or float
        Of each element.
    size : sequence of int, optional
        The extents, where both are numbers.
    generator : Generator, optional
        Where the numbers come from.
    out : Tensor, optional
        Where to write the result.
    dtype : dtype, optional
        Where both are numbers.
    """
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        kind = ambient().default_dtype if dtype is None else dtype.numpy
        data = np.empty(tuple(size or ()), kind)
        random_fill.normal_(data, _source(generator), float(mean), _positive(std))
        return finished(data, False, None, out, "normal")
    tensors = [v for v in (mean, std) if isinstance(v, Tensor)]
    if isinstance(std, Tensor) and std._data.size and std._data.min() < 0:
        raise RuntimeError("normal expects all elements of std >= 0.0")
    if not isinstance(std, Tensor):
        _positive(std)
    shape = np.broadcast_shapes(*[t._data.shape for t in tensors])
    data = np.empty(shape, tensors[0]._data.dtype)
    random_fill.normal_(data, _source(generator))
    spread = std._data if isinstance(std, Tensor) else data.dtype.type(std)
    middle = mean._data if isinstance(mean, Tensor) else data.dtype.type(mean)
    return finished(data * spread + middle, False, None, out, "normal")


def _positive(std: Any) -> float:
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    return float(std)


@method(as_method=False)
def bernoulli(input: Tensor, *, generator: Any = None, out: Tensor | None = None) -> Tensor:
    """Ones with the probabilities of a tensor, zeros otherwise.

    Parameters
    ----------
    input : Tensor
        Probabilities.
    generator : Generator, optional
        Where the randomness comes from.
    out : Tensor, optional
        Where to write the result.
    """
    data = np.empty_like(require_tensor(input, "bernoulli")._data)
    random_fill.bernoulli_(data, _source(generator), input._data)
    return finished(data, False, None, out, "bernoulli")


@method()
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Indices drawn with given weights, row by row.

    Parameters
    ----------
    input : Tensor
        The weights.
    num_samples : int
        How many per row.
    replacement : bool
        Whether an index may come more than once.
    generator : Generator, optional
        Where the randomness comes from.
    out : Tensor, optional
        Where to write the result.
    """
    found = random_choice.multinomial(
        _source(generator), input._data, int(num_samples), bool(replacement)
    )
    return finished(found, False, None, out, "multinomial")


# ----------------------------------------------------------------------------------------- in place


def _in_place(
    name: str, fill: Callable[..., None], arguments: dict[str, str], summary: str
) -> None:
    """A method; `arguments` are PyTorch's names, and those that the filling function has."""
    node = name.rstrip("_").title().replace("_", "")
    operation = TensorOperation(lambda x: jnp.zeros_like(x), f"{node}Backward0", elementwise=True)

    def function(self: Tensor, *args: Any, generator: Any = None, **kwargs: Any) -> Tensor:
        given = dict(zip(arguments, args, strict=False), **kwargs)
        unknown = given.keys() - arguments.keys()
        if unknown or len(args) > len(arguments):
            raise TypeError(f"{name}() takes {list(arguments)}, got {[*args, *kwargs]}")
        values = {arguments[key]: value for key, value in given.items()}

        def draw(buffer: Any) -> None:
            fill(buffer, _source(generator), **values)

        if ambient().traced:  # there is no buffer to fill
            drawn = np.empty(self._data.shape, self._data.dtype)
            draw(drawn)
            return self.copy_(wrap(drawn))
        return write(self, operation, (self,), {}, draw)

    function.__name__ = name
    function.__doc__ = (
        f"{summary}\n\nParameters\n----------\n{', '.join(arguments)} : number, optional\n"
        "    Of the distribution."
    )
    METHODS[name] = function


def _bernoulli_fill(buffer: Any, generator: _Generator, p: Any = 0.5) -> None:
    if not isinstance(p, Tensor) and not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
    random_fill.bernoulli_(buffer, generator, p._data if isinstance(p, Tensor) else p)


_SPREAD = {"mean": "mean", "std": "std"}
_RANGE = {"from": "low", "to": "high"}
_in_place("normal_", random_fill.normal_, _SPREAD, "Fill with normal numbers.")
_in_place("uniform_", random_fill.uniform_, _RANGE, "Fill with uniform numbers.")
_in_place("bernoulli_", _bernoulli_fill, {"p": "p"}, "Fill with ones and zeros.")
_in_place("random_", random_fill.random_, _RANGE, "Fill with integers.")
_in_place("exponential_", random_fill.exponential_, {"lambd": "rate"}, "Fill with waiting times.")
_in_place(
    "cauchy_",
    random_fill.cauchy_,
    {"median": "median", "sigma": "sigma"},
    "Fill with Cauchy numbers.",
)
_in_place("log_normal_", random_fill.log_normal_, _SPREAD, "Fill with log-normal numbers.")
_in_place("geometric_", random_fill.geometric_, {"p": "p"}, "Fill with geometric numbers.")
METHODS["bernoulli"] = lambda self, p=None, *, generator=None: (
    FUNCTIONS["bernoulli"](self, generator=generator)
    if p is None
    else self.new_empty(self.shape).bernoulli_(p, generator=generator)
)
