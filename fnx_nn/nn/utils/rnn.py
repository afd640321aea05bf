"""Sequences of different lengths: padded to one length, or packed without gaps.

A packed batch has the first rows of all sequences, then the second rows of those that have one, and
so on, the longest sequence first: what a recurrent layer reads in one step lies together.
Read next: `fnx_nn.nn.recurrent`, whose layers take and give packed batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

import fnx.numpy as jnp
from fnx_nn import dtypes
from fnx_nn.nn.functional.packing import pack, packed_places, unpack
from fnx_nn.tensor.dispatch import TensorOperation, apply
from fnx_nn.tensor.tensor import Tensor, wrap

__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]

_NDArray = np.ndarray[Any, Any]


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """A packed batch of sequences; made by `pack_padded_sequence` and `pack_sequence`.

    Parameters
    ----------
    data : Tensor
        The rows: (sum of the lengths, ...).
    batch_sizes : Tensor of int64
        How many sequences have a first row, a second one, ...
    sorted_indices : Tensor of int64, optional
        The order in which the sequences are packed; None if it is that of the batch.
    unsorted_indices : Tensor of int64, optional
        The inverse permutation, which is computed if it is None.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])]).data
    tensor([1, 4, 2, 3])
    """

    def __new__(
        cls,
        data: Any,
        batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise AssertionError("Expected data to be a list or tuple of length 2")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, data: Tensor) -> PackedSequence:
        """With other rows; the permutations go to their device, as `batch_sizes` does not."""
        if data is self.data:
            return self
        indices = [
            None if t is None else t.to(data.device)
            for t in (self.sorted_indices, self.unsorted_indices)
        ]
        return type(self)(data, self.batch_sizes, *indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With the rows converted, as `Tensor.to` does; itself if they are so already.

        Parameters
        ----------
        *args, **kwargs
            Of `Tensor.to`.
        """
        return self._with(self.data.to(*args, **kwargs))

    def cpu(self) -> PackedSequence:
        """With the rows in the memory of the processor."""
        return self._with(self.data.to("cpu"))

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With the rows on a graphics card.

        Parameters
        ----------
        *args, **kwargs
            Of `Tensor.cuda`.
        """
        return self._with(self.data.cuda(*args, **kwargs))

    def double(self) -> PackedSequence:
        """With rows of float64."""
        return self.to(dtypes.float64)

    def float(self) -> PackedSequence:
        """With rows of float32."""
        return self.to(dtypes.float32)

    def half(self) -> PackedSequence:
        """With rows of float16."""
        return self.to(dtypes.float16)

    def long(self) -> PackedSequence:
        """With rows of int64."""
        return self.to(dtypes.int64)

    def int(self) -> PackedSequence:
        """With rows of int32."""
        return self.to(dtypes.int32)

    def short(self) -> PackedSequence:
        """With rows of int16."""
        return self.to(dtypes.int16)

    def char(self) -> PackedSequence:
        """With rows of int8."""
        return self.to(dtypes.int8)

    def byte(self) -> PackedSequence:
        """With rows of uint8."""
        return self.to(dtypes.uint8)

    def pin_memory(self) -> PackedSequence:
        """With the rows in memory that a graphics card copies from directly."""
        return self._with(self.data.pin_memory())

    def is_pinned(self) -> bool:
        """Whether the rows are in such memory."""
        return bool(self.data.is_pinned())

    @property
    def is_cuda(self) -> bool:
        """Whether the rows are on a graphics card."""
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes another one.

    Parameters
    ----------
    permutation : Tensor of int64, optional
        (n,): each of 0, ..., n - 1 once. Of None it is None.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    inverse: Tensor = permutation.argsort()
    return inverse


# -------------------------------------------------------------------------------- packed and padded


def _known(tensor: Tensor, name: str, argument: str) -> _NDArray:
    """The numbers of a tensor, on which the shape of a result depends."""
    data = tensor._data
    if type(data) is not np.ndarray:
        raise TypeError(
            f"{name}: the shape of the result depends on {argument}, which can't be known while "
            "tracing. Pack outside of the traced function."
        )
    return data


def _checked_lengths(lengths: Any, longest: int, batch: int) -> _NDArray:
    given = _known(lengths, "pack_padded_sequence", "lengths") if isinstance(
        lengths, Tensor
    ) else np.asarray(lengths)  # fmt: skip
    found = given.astype(np.int64)
    if found.ndim != 1:
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{found.ndim}D cpu Long tensor"
        )
    if not longest or not batch:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(found) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(found)} "
            f"(batch_size={batch})"
        )
    if found.min() <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            "that is <= 0"
        )
    if found.max() > longest:
        raise RuntimeError(
            f"pack_padded_sequence: a length in 'lengths' is {found.max()}, but the padded "
            f"sequences have {longest} steps."
        )
    return found


def pack_padded_sequence(
    input: Tensor,
    lengths: Tensor | Sequence[int],
    batch_first: bool = False,
    enforce_sorted: bool = True,
) -> PackedSequence:
    """Pack sequences that are padded to one length.

    Parameters
    ----------
    input : Tensor
        (steps, batch, ...).
    lengths : Tensor or list of int
        Of the sequences; 1 at least.
    batch_first : bool
        Whether `input` is (batch, steps, ...).
    enforce_sorted : bool
        Require that the longest come first; otherwise they are sorted here, and
        `pad_packed_sequence` undoes it.

    Raises
    ------
    RuntimeError
        Lengths don't fit, or aren't sorted.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> padded = torch.tensor([[1, 2, 0], [3, 0, 0], [4, 5, 6]])
    >>> packed = pack_padded_sequence(padded, [2, 1, 3], batch_first=True, enforce_sorted=False)
    >>> packed.data, packed.batch_sizes, packed.sorted_indices
    (tensor([4, 1, 3, 5, 2, 6]), tensor([3, 2, 1]), tensor([2, 0, 1]))
    """
    batch_axis = 0 if batch_first else 1
    batch, longest = input.size(batch_axis), input.size(1 - batch_axis)
    counts = _checked_lengths(lengths, longest, batch)
    order = inverse = None
    if not enforce_sorted:
        places = np.argsort(-counts, kind="stable")
        order, inverse, counts = wrap(places), wrap(np.argsort(places)), counts[places]
        input = input.index_select(batch_axis, order)
    elif np.any(counts[1:] > counts[:-1]):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    batch_sizes = (counts > np.arange(counts[0])[:, None]).sum(1)
    data = pack(input, packed_places(batch_sizes)[1], batch_first)
    return PackedSequence(data, wrap(batch_sizes), order, inverse)


def pad_packed_sequence(
    sequence: PackedSequence,
    batch_first: bool = False,
    padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Padded sequences and their lengths, of a packed batch.

    Parameters
    ----------
    sequence : PackedSequence
        The batch.
    batch_first : bool
        Whether the result is to be (batch, steps, ...), not (steps, batch, ...).
    padding_value : float
        What stands behind the end.
    total_length : int, optional
        To how many steps they are padded; by default to those of the longest.

    Raises
    ------
    ValueError
        `total_length` is less than the longest.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> packed = pack_sequence([torch.tensor([1, 2, 3]), torch.tensor([4])])
    >>> pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 0, 0]]), tensor([3, 1]))
    """
    batch_sizes = _known(sequence.batch_sizes, "pad_packed_sequence", "batch_sizes")
    longest = len(batch_sizes)
    steps = longest if total_length is None else total_length
    if steps < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but "
            f"got total_length={total_length} and max sequence length being {longest}"
        )
    row = packed_places(batch_sizes)[0]
    lengths = wrap((row >= 0).sum(0))
    row = np.pad(row, ((0, steps - longest), (0, 0)), constant_values=-1)
    padded = unpack(sequence.data, row, batch_first, padding_value)
    order = sequence.unsorted_indices
    if order is None:
        return padded, lengths
    return padded.index_select(0 if batch_first else 1, order), lengths.index_select(0, order)


# ------------------------------------------------------------------------------- lists of sequences


def _pad_list(*sequences: Any, batch_first: bool, value: float, left: bool) -> Any:
    dtype = sequences[0].dtype
    steps = max(s.shape[0] for s in sequences)
    rows = []
    for s in sequences:
        missing = steps - s.shape[0]
        widths = [(missing, 0) if left else (0, missing), *[(0, 0)] * (s.ndim - 1)]
        rows.append(jnp.pad(s.astype(dtype), widths, constant_values=jnp.asarray(value, dtype)))
    return jnp.stack(rows, 0 if batch_first else 1)


_PAD_LIST = TensorOperation(_pad_list, "PadSequenceBackward0")


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences of different lengths in one tensor.

    Parameters
    ----------
    sequences : iterable of Tensor
        (steps, ...) each; they differ in steps only. The first says the dtype.
    batch_first : bool
        Whether the result is to be (batch, steps, ...), not (steps, batch, ...).
    padding_value : float
        What fills them up.
    padding_side : {'right', 'left'}
        On which side.

    Raises
    ------
    RuntimeError
        There is no sequence, or their shapes don't fit.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> pad_sequence([torch.tensor([1, 2]), torch.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    given = tuple(sequences)
    if not given:
        raise RuntimeError("received an empty list of sequences")
    if padding_side not in ("left", "right"):
        raise RuntimeError(
            f"Expected padding_side to be one of left or right, but got {padding_side}."
        )
    rest = given[0].shape[1:]
    for k, s in enumerate(given):
        if s.ndim == 0 or s.shape[1:] != rest:
            raise RuntimeError(
                f"pad_sequence: sequences must have the shape (steps, {', '.join(map(str, rest))}) "
                f"like the first, but sequence {k} has the shape {tuple(s.shape)}."
            )
    params = {
        "batch_first": bool(batch_first),
        "value": float(padding_value),
        "left": padding_side == "left",
    }
    out: Tensor = apply(_PAD_LIST, given, params)
    return out


def unpad_sequence(
    padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False
) -> list[Tensor]:
    """Sequences out of a padded tensor.

    Parameters
    ----------
    padded_sequences : Tensor
        (steps, batch, ...).
    lengths : Tensor
        (batch,): how many steps each has.
    batch_first : bool
        Whether `padded_sequences` is (batch, steps, ...).

    Examples
    --------
    >>> import fnx_nn as torch
    >>> unpad_sequence(torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    rows = padded_sequences.unbind(0 if batch_first else 1)
    counts = _known(lengths, "unpad_sequence", "lengths")
    if len(rows) != len(counts):
        raise ValueError(f"unpad_sequence: {len(rows)} sequences, but {len(counts)} lengths.")
    return [row[: max(int(n), 0)] for row, n in zip(rows, counts, strict=True)]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences of different lengths.

    Parameters
    ----------
    sequences : sequence of Tensor
        (steps, ...) each.
    enforce_sorted : bool
        As for `pack_padded_sequence`.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]).data
    tensor([1, 3, 2])
    """
    lengths = [s.size(0) for s in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences of a packed batch, in the order of the batch before it was packed.

    Parameters
    ----------
    packed_sequences : PackedSequence
        The batch.

    Examples
    --------
    >>> import fnx_nn as torch
    >>> unpack_sequence(pack_sequence([torch.tensor([1, 2]), torch.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
