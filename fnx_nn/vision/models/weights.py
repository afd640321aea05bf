"""Trained weights as values: where the file is, how its model wants pictures, what is known of it.

In: the members of a model's enum, as ``VGG19_Weights.IMAGENET1K_V1``. Out: the state dict of the
official file, read from a folder of this user's or downloaded (`fnx_nn.hub`).

Read next: `registry`, `vgg`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Self

from fnx_nn.hub import checkpoint_path, load_state_dict_from_url
from fnx_nn.serialization import hash_in_name

__all__ = ["Weights", "WeightsEnum"]


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """One file of trained weights.

    Parameters
    ----------
    url : str
        Its address; the file's name carries the beginning of its SHA-256.
    transforms : callable
        Makes the preparation of the pictures: ``transforms()``.
    meta : dict
        What is known: the categories, the number of parameters, the accuracy.
    """

    url: str
    transforms: Callable[..., Any]
    meta: dict[str, Any]


class WeightsEnum(Enum):
    """The weights that a model can start from; each member's value is a `Weights`."""

    @classmethod
    def verify(cls, obj: Self | str | None) -> Self | None:
        """Return a member, given itself or its name, or None.

        Raises
        ------
        KeyError
            If no member has the name.
        TypeError
            If it is a member of another model's enum, or no member at all.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if not isinstance(obj, str):
            raise TypeError(
                f"weights: expected a {cls.__name__}, its name, or None; got "
                f"{type(obj).__name__} {obj!r}."
            )
        name = obj.removeprefix(f"{cls.__name__}.")
        if name not in cls.__members__:
            raise KeyError(
                f"weights: {cls.__name__} has no {name!r}; it has {', '.join(cls.__members__)}."
            )
        return cls[name]

    def get_state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the weights by name; the arguments are those of `load_state_dict_from_url`."""
        return load_state_dict_from_url(self.url, *args, **kwargs)

    @property
    def url(self) -> str:
        """The address of the file."""
        return self.value.url

    @property
    def transforms(self) -> Callable[..., Any]:
        """What makes the preparation of the pictures."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of the weights."""
        return self.value.meta

    @property
    def file_path(self) -> Path:
        """Where the file is looked for first; see `fnx_nn.hub.get_dir`."""
        return checkpoint_path(self.url)

    @property
    def hash_prefix(self) -> str | None:
        """How the SHA-256 of the file begins."""
        return hash_in_name(self.file_path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __reduce_ex__(self, protocol: Any) -> Any:
        # By name: the value holds callables, which are not equal to their copies.
        return getattr, (type(self), self.name)
