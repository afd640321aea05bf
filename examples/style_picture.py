"""Paint a style picture: a night sky of swirling brush strokes, from nothing but a seed.

    python examples/style_picture.py style.png [--size 512] [--seed 7]

A field of flow (a slow wave and a few vortices) bends long strokes; the distance from each vortex
decides the colour, in rings of blue, turquoise, ochre and white. Each stroke is a bundle of
bristles, lighter on one side, laid over the ones before, broad strokes first. The picture is
painted at twice its size and scaled down.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.float64]

# Oil colours: Prussian blue to pale yellow. Rings around a vortex run through `GLOW` outwards.
NIGHT = np.array([[16, 24, 72], [24, 44, 110], [34, 74, 150], [58, 112, 178], [108, 160, 190]])
GLOW = np.array([[255, 250, 214], [252, 214, 88], [238, 168, 40], [196, 190, 120], [84, 150, 170]])
EARTH = np.array([[10, 22, 34], [18, 48, 52], [30, 70, 60], [60, 86, 48]])


@dataclass(frozen=True)
class Vortex:
    """A star or a swirl: the centre, the radius (in picture widths) and the sense of rotation."""

    x: float
    y: float
    radius: float
    spin: float


VORTICES = (
    Vortex(0.44, 0.40, 0.20, 1.0),
    Vortex(0.66, 0.55, 0.12, -1.0),
    Vortex(0.83, 0.17, 0.15, 1.0),
    Vortex(0.13, 0.17, 0.09, -1.0),
    Vortex(0.28, 0.12, 0.06, 1.0),
    Vortex(0.62, 0.12, 0.07, -1.0),
    Vortex(0.12, 0.52, 0.08, 1.0),
    Vortex(0.90, 0.48, 0.07, 1.0),
    Vortex(0.30, 0.66, 0.06, -1.0),
)


def flow(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the unit direction of the strokes at points of the unit square."""
    u = np.ones_like(x)
    v = 0.55 * np.cos(7.0 * x + 2.0 * np.sin(5.0 * y)) + 0.2 * np.sin(17.0 * x - 3.0 * y)
    land = horizon(x) - y
    v = np.where(land < 0.0, 1.2 * np.sin(9.0 * x + 4.0 * y), v)
    for vortex in VORTICES:
        dx, dy = x - vortex.x, y - vortex.y
        distance = np.hypot(dx, dy) + 1e-9
        weight = 9.0 * np.exp(-((distance / vortex.radius) ** 2))
        # Mostly round the centre, a little towards it: a spiral.
        u += weight * (-vortex.spin * dy - 0.25 * dx) / distance
        v += weight * (vortex.spin * dx - 0.25 * dy) / distance
    length = np.hypot(u, v) + 1e-9
    return u / length, v / length


def horizon(x: Floats) -> Floats:
    """Return the height of the hills, from the top of the unit square."""
    return 0.84 - 0.06 * np.sin(4.2 * x + 0.6) - 0.03 * np.sin(11.0 * x)


def colours(x: Floats, y: Floats, noise: Floats) -> Floats:
    """Return the paint (red, green, blue) for strokes that start at the given points."""
    band = 0.5 + 0.5 * np.sin(19.0 * y + 3.0 * np.sin(6.0 * x)) + 0.45 * noise
    paint = pick(NIGHT, 0.15 + 0.75 * band)
    for vortex in VORTICES:
        distance = np.hypot(x - vortex.x, y - vortex.y) / vortex.radius
        rings = distance * 0.95 + 0.10 * np.sin(14.0 * distance) + 0.12 * noise
        inside = distance + 0.15 * noise < 1.05
        paint = np.where(inside[:, None], pick(GLOW, rings), paint)
    land = (y > horizon(x))[:, None]
    hills = 0.5 + 0.5 * np.sin(26.0 * (y - 0.3 * x)) + 0.4 * noise
    return np.where(land, pick(EARTH, hills), paint)


def pick(palette: NDArray[np.int64], position: Floats) -> Floats:
    """Interpolate in a palette; 0 is its first colour, 1 its last."""
    scaled = np.clip(position, 0.0, 1.0) * (len(palette) - 1)
    low = np.minimum(scaled.astype(int), len(palette) - 2)
    share = (scaled - low)[:, None]
    return palette[low] * (1.0 - share) + palette[low + 1] * share


def stroke_paths(x: Floats, y: Floats, length: float, points: int = 12) -> Floats:
    """Follow the flow from each start; return an array (points, strokes, 2)."""
    path = np.empty((points, len(x), 2))
    step = length / (points - 1)
    for index in range(points):
        path[index, :, 0], path[index, :, 1] = x, y
        u, v = flow(x, y)
        x, y = x + step * u, y + step * v
    return path


def paint_layer(
    canvas: ImageDraw.ImageDraw,
    side: int,
    rng: np.random.Generator,
    *,
    count: int,
    length: float,
    width: float,
) -> None:
    """Lay `count` strokes over the canvas; length and width are fractions of its side."""
    x, y = rng.uniform(-0.05, 1.05, (2, count))
    noise = rng.standard_normal(count)
    paint = colours(x, y, noise)
    paths = stroke_paths(x, y, length)
    # The normal of each stroke's middle spreads its bristles.
    u, v = flow(paths[6, :, 0], paths[6, :, 1])
    bristles = 5
    for stroke in range(count):
        shift = rng.uniform(-0.5, 0.5)
        for bristle in range(bristles):
            across = (bristle - (bristles - 1) / 2) / bristles * width
            offset = np.array([-v[stroke], u[stroke]]) * across
            light = 16.0 * (bristle - 2) + rng.normal(0.0, 13.0) + 10.0 * shift
            colour = np.clip(paint[stroke] + light, 0, 255).astype(int)
            line = (paths[:, stroke] + offset) * side
            trim = rng.integers(0, 4)
            canvas.line(
                [tuple(point) for point in line[trim : len(line) - rng.integers(0, 3)]],
                fill=tuple(colour.tolist()),
                width=max(1, round(width * side / bristles * 1.25)),
                joint="curve",
            )


def paint_picture(size: int = 512, seed: int = 7) -> Image.Image:
    """Return the picture as a square RGB image."""
    rng = np.random.default_rng(seed)
    side = 2 * size
    image = Image.new("RGB", (side, side), tuple(NIGHT[1].tolist()))
    canvas = ImageDraw.Draw(image)
    for vortex in VORTICES:  # no stroke crosses a centre, so the star itself lies beneath
        x, y, radius = (side * value for value in (vortex.x, vortex.y, 0.3 * vortex.radius))
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill="#fff6c8")
    paint_layer(canvas, side, rng, count=1000, length=0.17, width=0.042)
    paint_layer(canvas, side, rng, count=1500, length=0.13, width=0.028)
    paint_layer(canvas, side, rng, count=1200, length=0.09, width=0.018)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Paint a style picture from a seed.")
    parser.add_argument("output", help="the PNG file to write")
    parser.add_argument("--size", type=int, default=512, help="side in pixels")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    paint_picture(arguments.size, arguments.seed).save(arguments.output)


if __name__ == "__main__":
    main()
