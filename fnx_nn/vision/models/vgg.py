"""VGG with 11, 13, 16 and 19 layers, each with or without batch normalisation.

In: pictures (N, 3, H, W), normalised as ``weights.transforms()`` does. Out: logits (N, classes).
Names, the order of construction and initial weights are torchvision's, so that official files fit
and the same seed gives the same weights.

Reference: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image
recognition" (2015), table 1.

Read next: `vgg_weights`; `fnx_nn.style.features`, which uses the first layers of VGG-19.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fnx_nn import nn
from fnx_nn.tensor.tensor import Tensor
from fnx_nn.vision.models.registry import register_model
from fnx_nn.vision.models.vgg_weights import (
    VGG11_BN_Weights,
    VGG11_Weights,
    VGG13_BN_Weights,
    VGG13_Weights,
    VGG16_BN_Weights,
    VGG16_Weights,
    VGG19_BN_Weights,
    VGG19_Weights,
)
from fnx_nn.vision.models.weights import WeightsEnum

__all__ = [
    "CONFIGURATIONS",
    "VGG",
    "make_layers",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]

#: The columns of the paper's table: channels of the convolutions, "M" where the picture is halved.
CONFIGURATIONS: dict[str, tuple[int | str, ...]] = {
    "A": (64, "M", 128, "M", *[256] * 2, "M", *[512] * 2, "M", *[512] * 2, "M"),
    "B": (64, 64, "M", 128, 128, "M", *[256] * 2, "M", *[512] * 2, "M", *[512] * 2, "M"),
    "D": (64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"),
    "E": (64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"),
}


class VGG(nn.Module):
    """Convolutions that halve the picture five times, and three linear layers.

    Parameters
    ----------
    features : Module
        From pictures to 512 channels; see `make_layers`.
    num_classes : int
        Outputs.
    init_weights : bool
        Whether convolutions start from He's normal weights and linear layers from small ones;
        otherwise from the defaults of their layers.
    dropout : float
        How often a hidden unit of the classifier is left out.
    """

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            for module in self.modules():
                _initialise(module)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of a batch of pictures."""
        pooled = self.avgpool(self.features(x))
        return self.classifier(pooled.flatten(1))


def make_layers(configuration: Sequence[int | str], batch_norm: bool = False) -> nn.Sequential:
    """Return convolutions of 3 x 3 with ReLU, and poolings, for three channels.

    Parameters
    ----------
    configuration : sequence
        As the values of `CONFIGURATIONS`.
    batch_norm : bool
        Whether each convolution is followed by a batch normalisation.

    Examples
    --------
    >>> make_layers([8, "M"])
    Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))
      (1): ReLU(inplace=True)
      (2): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    )
    """
    layers: list[nn.Module] = []
    channels = 3
    for entry in configuration:
        if isinstance(entry, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(channels, entry, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(entry))
        layers.append(nn.ReLU(inplace=True))
        channels = entry
    return nn.Sequential(*layers)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.constant_(module.bias, 0)
    elif isinstance(module, nn.BatchNorm2d):
        for parameter, value in ((module.weight, 1), (module.bias, 0)):
            if parameter is not None:
                nn.init.constant_(parameter, value)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0, 0.01)
        nn.init.constant_(module.bias, 0)


def _vgg(
    configuration: str, batch_norm: bool, weights: WeightsEnum | None, progress: bool, options: Any
) -> VGG:
    if weights is not None:
        options["init_weights"] = False
        categories = weights.meta["categories"]
        if categories is not None:
            asked = options.setdefault("num_classes", len(categories))
            if asked != len(categories):
                raise ValueError(
                    f"The parameter 'num_classes' expected value {len(categories)} but got {asked} "
                    f"instead: {weights!r} has as many classes. Leave it out, and replace the last "
                    "layer afterwards."
                )
    model = VGG(make_layers(CONFIGURATIONS[configuration], batch_norm), **options)
    if weights is not None:
        model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
    return model


@register_model(VGG11_Weights, VGG11_Weights.IMAGENET1K_V1)
def vgg11(
    *, weights: VGG11_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-11.

    Parameters
    ----------
    weights : VGG11_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("A", False, VGG11_Weights.verify(weights), progress, kwargs)


@register_model(VGG11_BN_Weights, VGG11_BN_Weights.IMAGENET1K_V1)
def vgg11_bn(
    *, weights: VGG11_BN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-11 with batch normalisation.

    Parameters
    ----------
    weights : VGG11_BN_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("A", True, VGG11_BN_Weights.verify(weights), progress, kwargs)


@register_model(VGG13_Weights, VGG13_Weights.IMAGENET1K_V1)
def vgg13(
    *, weights: VGG13_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-13.

    Parameters
    ----------
    weights : VGG13_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("B", False, VGG13_Weights.verify(weights), progress, kwargs)


@register_model(VGG13_BN_Weights, VGG13_BN_Weights.IMAGENET1K_V1)
def vgg13_bn(
    *, weights: VGG13_BN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-13 with batch normalisation.

    Parameters
    ----------
    weights : VGG13_BN_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("B", True, VGG13_BN_Weights.verify(weights), progress, kwargs)


@register_model(VGG16_Weights, VGG16_Weights.IMAGENET1K_V1)
def vgg16(
    *, weights: VGG16_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-16.

    Parameters
    ----------
    weights : VGG16_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("D", False, VGG16_Weights.verify(weights), progress, kwargs)


@register_model(VGG16_BN_Weights, VGG16_BN_Weights.IMAGENET1K_V1)
def vgg16_bn(
    *, weights: VGG16_BN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-16 with batch normalisation.

    Parameters
    ----------
    weights : VGG16_BN_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("D", True, VGG16_BN_Weights.verify(weights), progress, kwargs)


@register_model(VGG19_Weights, VGG19_Weights.IMAGENET1K_V1)
def vgg19(
    *, weights: VGG19_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-19.

    Parameters
    ----------
    weights : VGG19_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("E", False, VGG19_Weights.verify(weights), progress, kwargs)


@register_model(VGG19_BN_Weights, VGG19_BN_Weights.IMAGENET1K_V1)
def vgg19_bn(
    *, weights: VGG19_BN_Weights | str | None = None, progress: bool = True, **kwargs: Any
) -> VGG:
    """Build VGG-19 with batch normalisation.

    Parameters
    ----------
    weights : VGG19_BN_Weights or str, optional
        What it starts from; random weights by default.
    progress : bool
        Whether a download shows a progress bar.
    **kwargs
        Arguments of `VGG`.
    """
    return _vgg("E", True, VGG19_BN_Weights.verify(weights), progress, kwargs)
