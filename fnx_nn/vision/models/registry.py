"""The models by name: what there is, and how one is built.

In: a name. Out: the model, the function that builds it, or the enum of its weights.
`register_model` stands on each builder, and writes during import only.

Read next: `vgg`, as an example of a builder.
"""

from __future__ import annotations

import fnmatch
import functools
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from fnx_nn import nn
from fnx_nn.vision.models.weights import WeightsEnum

__all__ = [
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
    "register_model",
]

Builder = Callable[..., nn.Module]


@dataclass(frozen=True, slots=True)
class _Entry:
    builder: Builder
    weights: type[WeightsEnum]


_models: dict[str, _Entry] = {}  # written during import only


def register_model(
    weights: type[WeightsEnum], pretrained: WeightsEnum
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a builder: it is found by its name, and `pretrained=` is understood.

    Parameters
    ----------
    weights : type of WeightsEnum
        The weights that the model can start from.
    pretrained : WeightsEnum
        The member that `pretrained=True` stands for.
    """

    def register(builder: Callable[..., Any]) -> Callable[..., Any]:
        name = builder.__name__
        if name in _models:
            raise ValueError(f"register_model: there is a model named {name!r} already.")

        @functools.wraps(builder)
        def build(*args: Any, **kwargs: Any) -> Any:
            return builder(**_modern(name, weights, pretrained, args, kwargs))

        _models[name] = _Entry(build, weights)
        return build

    return register


def list_models(
    module: ModuleType | None = None,
    include: Iterable[str] | str | None = None,
    exclude: Iterable[str] | str | None = None,
) -> list[str]:
    """Return the names of the models, sorted.

    Parameters
    ----------
    module : module, optional
        Only the models that this package defines.
    include, exclude : str or iterable of str, optional
        Patterns as in a shell; a name is listed if one of `include` and none of `exclude` fits.

    Examples
    --------
    >>> list_models(include="vgg1*", exclude="*_bn")
    ['vgg11', 'vgg13', 'vgg16', 'vgg19']
    """
    names = [
        name
        for name, entry in _models.items()
        if module is None or entry.builder.__module__.rpartition(".")[0] == module.__name__
    ]
    wanted, unwanted = _patterns(include), _patterns(exclude)
    return sorted(
        name
        for name in names
        if (not wanted or any(fnmatch.fnmatch(name, pattern) for pattern in wanted))
        and not any(fnmatch.fnmatch(name, pattern) for pattern in unwanted)
    )


def get_model(name: str, **config: Any) -> nn.Module:
    """Build a model.

    Parameters
    ----------
    name : str
        One of `list_models()`.
    **config
        The arguments of its builder, as `weights`.
    """
    return get_model_builder(name)(**config)


def get_model_builder(name: str) -> Builder:
    """Return the function that builds a model.

    Parameters
    ----------
    name : str
        One of `list_models()`, in capitals or not.

    Examples
    --------
    >>> get_model_builder("VGG19").__name__
    'vgg19'
    """
    return _entry(name).builder


def get_model_weights(name: Builder | str) -> type[WeightsEnum]:
    """Return the enum of the weights that a model can start from.

    Parameters
    ----------
    name : str or callable
        A model's name, or its builder.

    Examples
    --------
    >>> list(get_model_weights("vgg19"))
    [VGG19_Weights.IMAGENET1K_V1]
    """
    return _entry(name if isinstance(name, str) else name.__name__).weights


def get_weight(name: str) -> WeightsEnum:
    """Return weights by their full name.

    Parameters
    ----------
    name : str
        The enum and the member, with a dot between them.

    Examples
    --------
    >>> get_weight("VGG19_Weights.DEFAULT")
    VGG19_Weights.IMAGENET1K_V1
    """
    group, dot, member = name.partition(".")
    for entry in _models.values():
        if dot and entry.weights.__name__ == group:
            return entry.weights.verify(member)  # type: ignore[return-value]  # never None here
    known = sorted(entry.weights.__name__ for entry in _models.values())
    raise ValueError(
        f"get_weight: there are no weights {name!r}; write ENUM.MEMBER with one of the enums "
        f"{', '.join(known)}."
    )


def _entry(name: str) -> _Entry:
    found = _models.get(name.lower())
    if found is None:
        raise ValueError(f"Unknown model {name!r}; there are {', '.join(sorted(_models))}.")
    return found


def _patterns(given: Iterable[str] | str | None) -> list[str]:
    return [given] if isinstance(given, str) else list(given or ())


def _modern(
    name: str,
    weights: type[WeightsEnum],
    pretrained: WeightsEnum,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> dict[str, Any]:
    """The keyword arguments of today from a call in the words of before: `vgg19(True)`."""
    asked = dict(kwargs)
    for key, value in zip(("weights", "progress"), args):
        if key in asked:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        asked[key] = value
    if len(args) > 2:
        raise TypeError(f"{name}() takes 2 positional arguments, but {len(args)} were given")
    old = asked.pop("pretrained", None)
    if isinstance(asked.get("weights"), bool):
        old = asked.pop("weights")
    if old is not None:
        member = pretrained if old else None
        meant = repr(member) if member else "None"
        warnings.warn(
            f"{name}: pretrained={old} is the old way; write weights={meant}.",
            UserWarning,
            stacklevel=3,
        )
        asked["weights"] = member
    asked["weights"] = weights.verify(asked.get("weights"))
    return asked
