"""Run `python -m fnx_nn.style`."""

from __future__ import annotations

import sys

from fnx_nn.style.command import main

__all__: list[str] = []

if __name__ == "__main__" and (status := main()):
    sys.exit(status)
