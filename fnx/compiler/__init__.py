"""The compiler: from a Jaxpr to an executable made of generated loop nests and named kernels.

Start at `pipeline`. It knows `fnx.core` (programs), `fnx.primitives` (only to tell a few of them
apart) and `fnx.kernels` (native code), and nothing of transforms or control flow, which sit above
it.
"""
