"""Picture transforms, on PIL images and on tensors, under the names of torchvision.

In: a picture. Out: a picture. `Compose` chains them; the random ones draw from the facade's
default generator, so `manual_seed` fixes them.

Read next: `functional`, `geometry`, `conversion`, `colour`, `composition`.
"""

from fnx_nn.vision.transforms import functional
from fnx_nn.vision.transforms.colour import ColorJitter, Grayscale, RandomGrayscale
from fnx_nn.vision.transforms.composition import Compose, Lambda, RandomApply
from fnx_nn.vision.transforms.conversion import (
    ConvertImageDtype,
    Normalize,
    PILToTensor,
    ToPILImage,
    ToTensor,
)
from fnx_nn.vision.transforms.functional import InterpolationMode
from fnx_nn.vision.transforms.geometry import (
    CenterCrop,
    Pad,
    RandomCrop,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    Resize,
)

__all__ = [
    "CenterCrop",
    "ColorJitter",
    "Compose",
    "ConvertImageDtype",
    "Grayscale",
    "InterpolationMode",
    "Lambda",
    "Normalize",
    "PILToTensor",
    "Pad",
    "RandomApply",
    "RandomCrop",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomVerticalFlip",
    "Resize",
    "ToPILImage",
    "ToTensor",
    "functional",
]
