"""The kernels themselves: Numba functions on raw addresses, imported only to be compiled.

A module here is a library; its ``entries(variant)`` lists functions, signatures and symbols.
fnx.kernels.libraries compiles them and keeps their code in the store.
"""
