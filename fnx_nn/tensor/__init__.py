"""Tensors and the operations on them.

`tensor` (the handle), `cell`, `views`, `tape`, `dispatch` and `table` are the machinery, in this
order; the other modules are rows: one for each family of operations. `catalogue` brings them
together. Read next: `tensor`, then `dispatch`.
"""
