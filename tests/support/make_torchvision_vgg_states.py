"""Write the names and shapes in the state dicts of torchvision's VGG networks.

Run it with an interpreter that has torch 2.13.0 and torchvision 0.28.0:

    python tests/support/make_torchvision_vgg_states.py

It writes tests/fnx_nn/data/vgg_states.json: for each network, in order, "name shape", where the
shape is empty for a scalar; and what is known of the weights that it can start from.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
import torchvision
from torchvision import models

DATA = Path(__file__).resolve().parents[1] / "fnx_nn" / "data"


def state(name: str) -> list[str]:
    with torch.device("meta"):
        entries = models.get_model(name).state_dict().items()
    return [f"{key} {','.join(map(str, value.shape))}".strip() for key, value in entries]


def weights(name: str) -> dict[str, dict]:
    described = {}
    for member in models.get_model_weights(name):
        preparation = member.transforms()
        described[member.name] = {
            "url": member.url,
            "num_params": member.meta["num_params"],
            "categories": len(member.meta["categories"] or ()),
            "metrics": str(member.meta["_metrics"]),
            "operations": member.meta["_ops"],
            "megabytes": member.meta["_file_size"],
            "mean": preparation.mean,
            "std": preparation.std,
            "crop": preparation.crop_size,
            "resize": preparation.resize_size,
        }
    return described


def main() -> None:
    names = models.list_models(include="vgg*")
    networks = {name: {"state": state(name), "weights": weights(name)} for name in names}
    result = {"torchvision": torchvision.__version__, "networks": networks}
    (DATA / "vgg_states.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
