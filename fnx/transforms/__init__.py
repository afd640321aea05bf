"""Program transformations: jvp, linearize, transpose, vmap, jet, and what is made of them.

Each module has one `Trace` (how to follow a function) and one function from Jaxpr to Jaxpr (for
programs that are already recorded).  They know primitives only by the rules in their slots.
Reading order: ``jvp`` -> ``linearize`` -> ``transpose`` -> ``grad`` -> ``vmap`` -> ``jet`` ->
``jacobian``.
"""
