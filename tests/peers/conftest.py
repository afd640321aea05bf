"""The live comparisons need their peer: without it their files are not collected."""

from __future__ import annotations

import importlib.util

collect_ignore = [peer for peer in ("jax", "torch") if importlib.util.find_spec(peer) is None]
