"""Pictures: transforms, files, grids, datasets and models, under the names of torchvision.

Nothing is imported here; import what you need: `from fnx_nn.vision import transforms, models`.

Read next: `transforms`, `io`, `utils`, `models`.
"""
