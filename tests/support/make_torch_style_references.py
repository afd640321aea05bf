"""Write the stored results of the style-transfer program under PyTorch, and its two pictures.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra), numpy and pillow:

    python tests/support/make_torch_style_references.py [PHOTOGRAPH]

With PHOTOGRAPH (matplotlib's sample `grace_hopper.jpg`) it first makes the two small pictures in
tests/fnx_nn/data anew; the style picture is the one that examples/style_picture.py paints. Then it
runs tests/fnx_nn/data/style_transfer_program.txt with seed 0 and writes

- style_transfer.json: the (style, content) losses of the first closures, in both precisions;
- vgg19_initial_weights.json: what `vgg19()` starts from with seed 0.

torchvision is not needed: the few names that the program takes from it are made here.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "fnx_nn" / "data"
SIZE = 64
# Channels of the convolutions, with "M" where the picture is halved (configuration E).
VGG19 = [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"]


class VGG(nn.Module):
    """VGG-19 (Simonyan and Zisserman, 2015), built and initialised in torchvision's order: every
    layer draws its default weights when it is made, then all are drawn again."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for entry in VGG19:
            if entry == "M":
                layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            else:
                layers += [nn.Conv2d(channels, entry, 3, padding=1), nn.ReLU(inplace=True)]
                channels = entry
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=0.5),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=0.5),
            nn.Linear(4096, 1000),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                nn.init.constant_(module.bias, 0)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.constant_(module.bias, 0)


class Compose:
    def __init__(self, steps):
        self.steps = steps

    def __call__(self, picture):
        for step in self.steps:
            picture = step(picture)
        return picture


class Resize:
    def __init__(self, size):
        self.size = size

    def __call__(self, picture):
        return picture.resize(self.size[::-1], Image.Resampling.BILINEAR)


class ToTensor:
    def __call__(self, picture):
        levels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()
        return levels.to(torch.get_default_dtype()).div(255)


def install_torchvision() -> None:
    """Put a `torchvision` with the names that the program uses into the table of modules."""
    package = types.ModuleType("torchvision")
    models = types.ModuleType("torchvision.models")
    transforms = types.ModuleType("torchvision.transforms")
    models.vgg19 = VGG
    transforms.Compose, transforms.Resize, transforms.ToTensor = Compose, Resize, ToTensor
    package.models, package.transforms = models, transforms
    sys.modules.update(
        {
            "torchvision": package,
            "torchvision.models": models,
            "torchvision.transforms": transforms,
        }
    )


def load_module(path: Path):
    loader = importlib.machinery.SourceFileLoader(path.stem, str(path))
    spec = importlib.util.spec_from_loader(path.stem, loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def make_pictures(photograph: str) -> None:
    painter = load_module(ROOT / "examples" / "style_picture.py")
    face = Image.open(photograph).convert("RGB").crop((80, 0, 480, 400))
    face.resize((96, 96), Image.Resampling.LANCZOS).save(DATA / "content.png", optimize=True)
    style = painter.paint_picture(512).resize((96, 96), Image.Resampling.LANCZOS)
    style.save(DATA / "style.png", optimize=True)


def weights_summary(network: nn.Module) -> list[dict]:
    """Checksums and samples of the convolutions and the classifier's last layer."""
    summary = []
    for name, tensor in network.state_dict().items():
        if name.endswith("weight") and (
            name.startswith("features") or name == "classifier.6.weight"
        ):
            flat = tensor.reshape(-1)
            summary.append(
                {
                    "name": name,
                    "shape": list(tensor.shape),
                    "sha256": hashlib.sha256(flat.numpy().tobytes()).hexdigest()[:16],
                    "first": [value.hex() for value in flat[:4].tolist()],
                    "last": [value.hex() for value in flat[-2:].tolist()],
                }
            )
    return summary


def losses(program, dtype: torch.dtype, features: nn.Module) -> list[tuple[float, float]]:
    content = program.image_loader(DATA / "content.png", SIZE, dtype)
    style = program.image_loader(DATA / "style.png", SIZE, dtype)
    mean = torch.tensor([0.485, 0.456, 0.406], dtype=dtype)
    std = torch.tensor([0.229, 0.224, 0.225], dtype=dtype)
    _, history = program.run_style_transfer(
        features.to(dtype), mean, std, content, style, content.clone(), 10
    )
    return history[:10]


def main() -> None:
    if len(sys.argv) > 1:
        make_pictures(sys.argv[1])
    install_torchvision()
    program = load_module(DATA / "style_transfer_program.txt")
    torch.manual_seed(0)
    network = VGG()
    state = hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest()[:16]
    references = {"torch": torch.__version__, "seed": 0, "state_after": state}
    references["weights"] = weights_summary(network)
    text = json.dumps(references, indent=1) + "\n"
    (DATA / "vgg19_initial_weights.json").write_text(text)

    # float32 first: widening the weights and narrowing them again changes nothing
    single = losses(program, torch.float32, network.features)
    double = losses(program, torch.float64, network.features)
    result = {
        "torch": torch.__version__,
        "program": "tests/fnx_nn/data/style_transfer_program.txt",
        "seed": 0,
        "size": SIZE,
        "closures": "[style loss, content loss]",
        "float64": double,
        "float32": single[:2],
    }
    (DATA / "style_transfer.json").write_text(json.dumps(result, indent=1) + "\n")
    for name, history in (("float32", single), ("float64", double)):
        for step, pair in enumerate(history):
            print(name, step, *pair)


if __name__ == "__main__":
    main()
