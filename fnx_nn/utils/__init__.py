"""What programs need around tensors and networks: data sets and their loader.

Read next: `fnx_nn.utils.data`.
"""

from fnx_nn.utils import data

__all__ = ["data"]
