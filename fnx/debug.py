"""Looking inside traced programs (as `jax.debug`): what exists is listed in ``__all__``."""

from fnx.core.printing import format_jaxpr

__all__ = ["format_jaxpr"]
