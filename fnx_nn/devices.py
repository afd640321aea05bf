"""Where tensors live: `device` is a value, and only ``cpu`` is there.

Naming another device is allowed, using one raises an error that says so. Other back ends register
their name with `register_device`; then tensors may be moved there.
"""

from __future__ import annotations

from typing import Any

__all__ = ["check_device", "device", "get_default_device", "register_device"]

_KNOWN = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga",
    "maia", "xla", "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip

#: Back ends that hold their buffers in host memory, by name; written when they are imported.
_registered: set[str] = {"cpu"}


class device:
    """A place for tensors: a kind and an index.

    Parameters
    ----------
    type : str or device or int
        A kind (``"cpu"``), a kind with an index (``"cuda:1"``), another device.
    index : int, optional
        Which one of its kind.

    Examples
    --------
    >>> device("cuda:1"), device("cpu").type
    (device(type='cuda', index=1), 'cpu')
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        if isinstance(type, device):
            kind, given = type.type, type.index
        elif isinstance(type, int):
            kind, given = "cuda", type
        elif isinstance(type, str):
            kind, given = _parse(type)
        else:
            raise TypeError(
                f"device(): argument 'type' (position 1) must be str, not {type.__class__.__name__}"
            )
        if given is not None and index is not None and not isinstance(type, device):
            raise RuntimeError(f"type (string) must not include an index because index was "
                               f"passed explicitly: {type}")  # fmt: skip
        if kind not in _KNOWN and kind not in _registered:
            raise RuntimeError(
                f"Expected one of {', '.join(_KNOWN)} device type at start of device string: {kind}"
            )
        object.__setattr__(self, "type", kind)
        object.__setattr__(self, "index", given if index is None else index)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"attribute '{name}' of 'torch.device' objects is not writable")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __reduce__(self) -> Any:
        return device, (self.type,) if self.index is None else (self.type, self.index)


def check_device(where: Any) -> device:
    """The device that an argument names, if tensors can be there.

    Parameters
    ----------
    where : device, str, int or None
        None is the default device.

    Raises
    ------
    RuntimeError
        It is not there; the message says what to do.
    """
    if where is None:
        return CPU
    found = where if isinstance(where, device) else device(where)
    if found.type in _registered:
        return found
    if found.type == "cuda":
        # The class of error that PyTorch's CPU build raises.
        raise AssertionError(
            "Torch not compiled with CUDA enabled: fnx_nn runs on the CPU. Use device='cpu', or "
            "ask torch.cuda.is_available() first, which is False here."
        )
    raise RuntimeError(
        f"device {str(found)!r} is not available: there is the CPU"
        f"{''.join(f', {name}' for name in sorted(_registered - {'cpu'}))}. Use device='cpu'."
    )


def register_device(name: str) -> None:
    """Make a device name known; for back ends, on import.

    Parameters
    ----------
    name : str
        The kind, as in ``x.to(name)``.

    Examples
    --------
    >>> register_device("cpu")
    """
    if not name.isidentifier():
        raise ValueError(f"register_device: {name!r} is not a name; use letters and digits.")
    _registered.add(name)


def get_default_device() -> device:
    """Where tensors are made when nothing else is said.

    Examples
    --------
    >>> get_default_device()
    device(type='cpu')
    """
    return CPU


def _parse(text: str) -> tuple[str, int | None]:
    kind, colon, number = text.partition(":")
    if not colon:
        return kind, None
    if not number.isdigit():
        raise RuntimeError(f"Invalid device string: '{text}'")
    return kind, int(number)


CPU = device("cpu")
