"""First-order primitives, by family, each with all of its rules in one place.

``families`` fills what follows from a family (elementwise, linear, bilinear, ...); the other
modules define primitives and the functions that apply them to arrays of equal dtype, as in
`fnx.lax`.
"""
