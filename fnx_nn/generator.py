"""The pseudorandom generator of the facade: MT19937, with the state layout that PyTorch saves.

In: a seed. Out: the raw stream of 32-bit and 64-bit words, and the small cache of one normal
sample that the scalar Box-Muller method keeps between calls. Everything random in the facade
draws from a `Generator`; `random_fill` turns its words into distributions, with the algorithms
of PyTorch's CPU back end, so that the same seed gives the same numbers.

Source: M. Matsumoto and T. Nishimura, "Mersenne Twister: a 623-dimensionally equidistributed
uniform pseudorandom number generator", ACM TOMACS 8 (1998). The recurrence itself is NumPy's.

Read next: `random_fill`.
"""

from __future__ import annotations

import operator
import secrets
import threading

import numpy as np
from numpy.typing import NDArray

__all__ = ["Generator", "default_generator"]

_WORDS = 624  # the degree of the recurrence: the state is this many 32-bit words
_DEFAULT_SEED = 67280421310721  # what an unseeded `Generator()` starts from

# The state as bytes, field by field: the layout that `get_state` of a CPU generator has there.
_STATE_LAYOUT = np.dtype(
    {
        "names": [
            "seed",
            "left",
            "seeded",
            "next",
            "words",
            "normal_x",
            "normal_y",
            "normal_rho",
            "has_normal",
            "next_float_normal",
            "has_float_normal",
        ],
        "formats": [
            "<u8",
            "<i4",
            "<i4",
            "<u8",
            ("<u8", _WORDS),
            "<f8",
            "<f8",
            "<f8",
            "<i4",
            "<f4",
            "u1",
        ],
        "offsets": [0, 8, 12, 16, 24, 5016, 5024, 5032, 5040, 5048, 5052],
        "itemsize": 5056,
    }
)


class Generator:
    """Pseudorandom generator (MT19937) with an explicit, restorable state.

    Parameters
    ----------
    device : str
        Only ``"cpu"`` exists.

    Notes
    -----
    One generator may be used by several threads: each fill holds its `lock`.

    Examples
    --------
    >>> generator = Generator().manual_seed(0)
    >>> generator.initial_seed()
    0
    >>> generator.words32(2)
    array([2357136044, 2546248239], dtype=uint32)
    """

    def __init__(self, device: str = "cpu") -> None:
        if str(device) != "cpu":
            raise RuntimeError(
                f"Generator: device {str(device)!r} has no generator here; use device='cpu'."
            )
        self.device = device
        self.lock = threading.RLock()
        self.next_normal: float | None = None  # the second sample of the last scalar pair
        self._load_seed(_DEFAULT_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream from `seed`, a 64-bit integer, and return this generator.

        A negative seed stands for the unsigned integer with the same 64 bits. Only the low
        32 bits decide the stream, as in the reference algorithm.
        """
        value = operator.index(seed)
        if not -(1 << 63) <= value < 1 << 64:
            raise ValueError(
                f"manual_seed: {value} does not fit 64 bits; give a seed in [-2**63, 2**64)."
            )
        with self.lock:
            self._load_seed(value & (1 << 64) - 1)
        return self

    def seed(self) -> int:
        """Restart the stream from the system's entropy, and return the seed."""
        value = secrets.randbits(53)
        self.manual_seed(value)
        return value

    def initial_seed(self) -> int:
        """Return the seed that the stream last started from."""
        return self._initial_seed

    def words32(self, count: int) -> NDArray[np.uint32]:
        """Return the next `count` words of the stream."""
        if count <= 0:
            return np.empty(0, dtype=np.uint32)
        with self.lock:
            self._fresh = False
            return self._stream.integers(0, 1 << 32, size=count, dtype=np.uint32)

    def words64(self, count: int) -> NDArray[np.uint64]:
        """Return the next `count` 64-bit numbers: pairs of words, the high half first."""
        pairs = self.words32(2 * count).reshape(-1, 2).astype(np.uint64)
        return (pairs[:, 0] << np.uint64(32)) | pairs[:, 1]

    def discard(self, count: int) -> None:
        """Advance the stream by `count` words, in bounded memory."""
        chunk = 1 << 16
        with self.lock:
            for start in range(0, count, chunk):
                self.words32(min(chunk, count - start))

    def state_bytes(self) -> NDArray[np.uint8]:
        """Return the whole state as 5056 bytes, in the layout of PyTorch's CPU generator."""
        with self.lock:
            raw = self._bits.state["state"]
            position = int(raw["pos"])
            state = np.zeros((), dtype=_STATE_LAYOUT)
            state["seed"] = self._initial_seed
            # `left` counts down to the next refill; it is 1 both before the first draw, when
            # nothing was read, and when a whole block was read.
            state["left"] = 1 if self._fresh else _WORDS + 1 - position
            state["seeded"] = 1
            state["next"] = 0 if self._fresh else position
            state["words"] = raw["key"]
            if self.next_normal is not None:
                state["normal_y"] = self.next_normal
                state["has_normal"] = 1
        return np.frombuffer(state.tobytes(), dtype=np.uint8).copy()

    def load_state_bytes(self, state: NDArray[np.uint8]) -> None:
        """Restore a state that `state_bytes` (or PyTorch's `get_state`) returned."""
        given = np.ascontiguousarray(state)
        if given.dtype != np.uint8:
            raise TypeError(f"set_state: the state must be a uint8 tensor, not {given.dtype}.")
        if given.size != _STATE_LAYOUT.itemsize:
            raise RuntimeError(
                f"set_state: the state must have {_STATE_LAYOUT.itemsize} bytes, "
                f"it has {given.size}."
            )
        fields = np.frombuffer(given.tobytes(), dtype=_STATE_LAYOUT)[0]
        left, position = int(fields["left"]), int(fields["next"])
        if not fields["seeded"] or not 0 < left <= _WORDS or position > _WORDS:
            raise RuntimeError(
                "set_state: the bytes are no valid generator state; give what get_state returned."
            )
        with self.lock:
            self._initial_seed = int(fields["seed"])
            self._fresh = left == 1 and position == 0
            self.next_normal = float(fields["normal_y"]) if fields["has_normal"] else None
            # With one word left a refill comes before the next word, whatever `next` says.
            position = _WORDS if left == 1 else position
            self._load_words(fields["words"].astype(np.uint32), position)

    def clone_state(self) -> Generator:
        """Return another generator in the same state."""
        other = Generator(self.device)
        other.load_state_bytes(self.state_bytes())
        return other

    def __getstate__(self) -> dict[str, object]:
        return {"device": self.device, "state": self.state_bytes()}

    def __setstate__(self, saved: dict[str, object]) -> None:
        Generator.__init__(self, str(saved["device"]))
        self.load_state_bytes(np.asarray(saved["state"], dtype=np.uint8))

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.Generator device={self.device} seed={self._initial_seed}>"

    def _load_seed(self, seed: int) -> None:
        self._initial_seed = seed
        self._fresh = True
        self.next_normal = None
        self._load_words(_words_from_seed(seed), _WORDS)

    def _load_words(self, words: NDArray[np.uint32], position: int) -> None:
        self._bits = np.random.MT19937(0)
        self._bits.state = {
            "bit_generator": "MT19937",
            "state": {"key": words, "pos": position},
        }
        self._stream = np.random.Generator(self._bits)


def _words_from_seed(seed: int) -> NDArray[np.uint32]:
    """Fill the state from the low 32 bits of a seed (`init_genrand` of the 2002 version)."""
    mask = (1 << 32) - 1
    word = seed & mask
    words = [word]
    for index in range(1, _WORDS):
        word = (1812433253 * (word ^ (word >> 30)) + index) & mask
        words.append(word)
    return np.array(words, dtype=np.uint32)


def _unpredictable() -> Generator:
    generator = Generator()
    generator.seed()
    return generator


# What draws when no generator is given. Like any generator it is a cell of state; it starts from
# the system's entropy, and `manual_seed` of the facade restarts it.
default_generator = _unpredictable()
