"""The trained weights of the VGG networks, all from ImageNet-1K.

In: nothing. Out: an enum for each network.

Read next: `weights`, `vgg`.
"""

from __future__ import annotations

from functools import partial

from fnx_nn.vision.models.imagenet_categories import IMAGENET_CATEGORIES
from fnx_nn.vision.models.weights import Weights, WeightsEnum
from fnx_nn.vision.transforms.presets import ImageClassification

__all__ = [
    "VGG11_BN_Weights",
    "VGG11_Weights",
    "VGG13_BN_Weights",
    "VGG13_Weights",
    "VGG16_BN_Weights",
    "VGG16_Weights",
    "VGG19_BN_Weights",
    "VGG19_Weights",
]


def _imagenet(
    file: str, parameters: int, top1: float, top5: float, operations: float, megabytes: float
) -> Weights:
    """Weights trained on ImageNet-1K, whose file is at PyTorch's address."""
    return Weights(
        url=f"https://download.pytorch.org/models/{file}",
        transforms=partial(ImageClassification, crop_size=224),
        meta={
            "min_size": (32, 32),
            "categories": IMAGENET_CATEGORIES,
            "recipe": "https://github.com/pytorch/vision/tree/main/references/classification"
            "#alexnet-and-vgg",
            "num_params": parameters,
            "_metrics": {"ImageNet-1K": {"acc@1": top1, "acc@5": top5}},
            "_ops": operations,
            "_file_size": megabytes,
            "_docs": "Trained from scratch with a simple recipe.",
        },
    )


def _vgg16_features() -> Weights:
    nan = float("nan")
    described = _imagenet(
        "vgg16_features-amdegroot-88682ab5.pth", 138357544, nan, nan, 15.47, 527.802
    )
    return Weights(
        url=described.url,
        transforms=partial(
            ImageClassification,
            crop_size=224,
            mean=(0.48235, 0.45882, 0.40784),
            std=(1.0 / 255.0,) * 3,
        ),
        meta={
            **described.meta,
            "categories": None,
            "recipe": "https://github.com/amdegroot/ssd.pytorch#training-ssd",
            "_docs": "Only `features` has trained values; the pictures are normalised as in the "
            "paper.",
        },
    )


class VGG11_Weights(WeightsEnum):
    """The weights of `vgg11`."""

    IMAGENET1K_V1 = _imagenet("vgg11-8a719046.pth", 132863336, 69.020, 88.628, 7.609, 506.84)
    DEFAULT = IMAGENET1K_V1


class VGG11_BN_Weights(WeightsEnum):
    """The weights of `vgg11_bn`."""

    IMAGENET1K_V1 = _imagenet("vgg11_bn-6002323d.pth", 132868840, 70.370, 89.810, 7.609, 506.881)
    DEFAULT = IMAGENET1K_V1


class VGG13_Weights(WeightsEnum):
    """The weights of `vgg13`."""

    IMAGENET1K_V1 = _imagenet("vgg13-19584684.pth", 133047848, 69.928, 89.246, 11.308, 507.545)
    DEFAULT = IMAGENET1K_V1


class VGG13_BN_Weights(WeightsEnum):
    """The weights of `vgg13_bn`."""

    IMAGENET1K_V1 = _imagenet("vgg13_bn-abd245e5.pth", 133053736, 71.586, 90.374, 11.308, 507.59)
    DEFAULT = IMAGENET1K_V1


class VGG16_Weights(WeightsEnum):
    """The weights of `vgg16`."""

    IMAGENET1K_V1 = _imagenet("vgg16-397923af.pth", 138357544, 71.592, 90.382, 15.47, 527.796)
    IMAGENET1K_FEATURES = _vgg16_features()
    DEFAULT = IMAGENET1K_V1


class VGG16_BN_Weights(WeightsEnum):
    """The weights of `vgg16_bn`."""

    IMAGENET1K_V1 = _imagenet("vgg16_bn-6c64b313.pth", 138365992, 73.360, 91.516, 15.47, 527.866)
    DEFAULT = IMAGENET1K_V1


class VGG19_Weights(WeightsEnum):
    """The weights of `vgg19`."""

    IMAGENET1K_V1 = _imagenet("vgg19-dcbb9e9d.pth", 143667240, 72.376, 90.876, 19.632, 548.051)
    DEFAULT = IMAGENET1K_V1


class VGG19_BN_Weights(WeightsEnum):
    """The weights of `vgg19_bn`."""

    IMAGENET1K_V1 = _imagenet("vgg19_bn-c79401a0.pth", 143678248, 74.218, 91.842, 19.632, 548.143)
    DEFAULT = IMAGENET1K_V1
