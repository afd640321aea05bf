"""Rules of a user's primitives, put where programs written for JAX put them.

A primitive of fnx holds all of its rules itself (`fnx.core.Primitive`); the tables here are other
doors to the same slots: ``ad.primitive_jvps[p] = rule`` is ``p.jvp = rule``.
"""

from fnx.interpreters import ad, batching

__all__ = ["ad", "batching"]
