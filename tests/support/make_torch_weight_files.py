"""Write tests/fnx_nn/data/weights_zip.pth and weights_legacy.pth with PyTorch's own `torch.save`.

Run it with an interpreter that has torch 2.13.0 (the `peers-torch` extra):

    python tests/support/make_torch_weight_files.py

Both files hold the same object: a state_dict with views that share a storage, and one value of
each kind that a weight file may hold. The tests build the expected values themselves.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch

DATA = Path(__file__).resolve().parents[1] / "fnx_nn" / "data"


def contents() -> OrderedDict:
    base = torch.arange(12.0).reshape(3, 4)
    shared = [1, "two"]
    tree = OrderedDict(
        base=base,
        transposed=base.t(),
        row=torch.nn.Parameter(base[1]),
        scalar=torch.tensor(3),
        empty=torch.zeros(0, 3),
        half=torch.tensor([1.5, -2.0], dtype=torch.float16),
        bfloat=torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
        flags=torch.tensor([True, False]),
        unsigned=torch.tensor([1, 65535], dtype=torch.uint16),
        conjugate=torch.tensor([1 + 2j], dtype=torch.complex64).conj(),
        size=torch.Size([2, 3]),
        dtype=torch.float64,
        device=torch.device("cpu"),
        numbers=[0, 255, 65535, -1, 2**70, 1.5, 1 + 2j, None, True],
        nested={"a": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), 5: {1, 2}},
        data=[b"\x00\xff", bytearray(b"zz"), "grün"],
        shared=[shared, shared],
    )
    tree._metadata = OrderedDict(version=1)
    return tree


def main() -> None:
    DATA.mkdir(exist_ok=True)
    torch.save(contents(), DATA / "weights_zip.pth")
    torch.save(contents(), DATA / "weights_legacy.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
