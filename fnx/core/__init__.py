"""The centre: arrays, types, primitives, tracing, the Jaxpr and its tools.

Reading order: ``types`` -> ``array`` -> ``primitive`` -> ``tracing`` -> ``jaxpr`` -> ``staging`` ->
``simplify`` -> ``check`` -> ``printing``. Nothing here knows a primitive or a transform by name.
"""
