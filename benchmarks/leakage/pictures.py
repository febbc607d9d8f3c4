"""Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): honest test pictures, and train pictures that were changed."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from leakage.case import Case

FOLDER = Path("/usr/share/datasets/fashion-mnist")
# 4998 is train picture 13360 encoded again; the others are train pictures retouched by hand.
KNOWN = (4998, 9867, 2605, 2115, 6210)
SIDE, HEADER = 28, {"images": 16, "labels": 8}

Picture, Rng = np.ndarray, np.random.Generator


def _noise(deviation: float) -> Callable[[Picture, Rng], Picture]:
    return lambda picture, rng: _bytes(picture + rng.normal(0, deviation, picture.shape))


def _brightness(picture: Picture, rng: Rng) -> Picture:
    return _enhanced(ImageEnhance.Brightness, picture, rng.choice([0.7, 1.3]))


def _contrast(picture: Picture, rng: Rng) -> Picture:
    return _enhanced(ImageEnhance.Contrast, picture, rng.choice([0.7, 1.3]))


def _gamma(picture: Picture, rng: Rng) -> Picture:
    return _bytes(255 * (picture / 255) ** rng.choice([0.7, 1.4]))


def _jpeg(picture: Picture, rng: Rng) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=50)
    return np.asarray(Image.open(file))


def _shift(pixels: int) -> Callable[[Picture, Rng], Picture]:
    """Moved to one of eight sides; what moves in is black."""
    sides = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]

    def moved(picture: Picture, rng: Rng) -> Picture:
        y, x = np.array(sides[rng.integers(len(sides))]) * pixels
        wide = np.pad(picture, pixels)
        return wide[pixels + y : pixels + y + SIDE, pixels + x : pixels + x + SIDE]

    return moved


def _rotation(picture: Picture, rng: Rng) -> Picture:
    angle = rng.choice([-1, 1]) * rng.uniform(3, 10)
    return np.asarray(Image.fromarray(picture).rotate(angle, Image.Resampling.BILINEAR))


def _zoom(picture: Picture, rng: Rng) -> Picture:
    """The middle tenth larger, or the whole a tenth smaller on black."""
    edge = int(rng.choice([-2, 2]))
    box = (edge, edge, SIDE - edge, SIDE - edge)
    return np.asarray(Image.fromarray(picture).crop(box).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _watermark(picture: Picture, rng: Rng) -> Picture:
    """A bright frame of 7 pixels with a dot, always in the same corner."""
    marked = picture.copy()
    marked[-9:-2, -9:-2] = 0
    marked[-9:-2, [-9, -3]], marked[[-9, -3], -9:-2], marked[-6, -6] = 230, 230, 230
    return marked


KINDS: dict[str, Callable[[Picture, Rng], Picture]] = {
    "exact": lambda picture, rng: picture,
    "noise 2 %": _noise(0.02 * 255),
    "noise 5 %": _noise(0.05 * 255),
    "brightness 30 %": _brightness,
    "contrast 30 %": _contrast,
    "gamma .7 or 1.4": _gamma,
    "JPEG 50": _jpeg,
    "shift 1 pixel": _shift(1),
    "shift 2 pixels": _shift(2),
    "flip": lambda picture, rng: picture[:, ::-1],
    "invert": lambda picture, rng: 255 - picture,
    "flip, JPEG 50": lambda picture, rng: _jpeg(np.ascontiguousarray(picture[:, ::-1]), rng),
    "rotation 3-10°": _rotation,
    "zoom 15 %": _zoom,
    "watermark": _watermark,
}


def picture_case(quick: bool, seed: int = 0, folder: Path = FOLDER) -> Case:
    """All honest pictures, then some changed train pictures of each kind, each of another original."""
    rng = np.random.default_rng(seed)
    (train, train_targets), (test, test_targets) = (_read(folder, part) for part in ("train", "t10k"))
    if quick:
        # Every tenth, and the known pairs.
        kept = np.union1d(np.arange(0, len(train), 10), [13360])
        train, train_targets = train[kept], train_targets[kept]
        test, test_targets = test[3998:4998], test_targets[3998:4998]
    each = 40 if quick else 200
    originals = rng.permutation(len(train))[: each * len(KINDS)]
    rows = list(zip(np.repeat(list(KINDS), each), originals, strict=True))
    planted = np.stack([KINDS[kind](train[row], rng) for kind, row in rows])
    places = {kind: (len(test) + each * i + np.arange(each)).tolist() for i, kind in enumerate(KINDS)}
    targets = {"train": train_targets, "test": np.concatenate([test_targets, train_targets[originals]])}
    true = () if quick else KNOWN
    return Case("pictures", "Fashion-MNIST", train, np.concatenate([test, planted]), targets, places, true)


def _read(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, 28, 28) and classes (N,) of the gzipped IDX files."""
    raw = {
        kind: gzip.decompress(
            (folder / f"{part}-{kind}-idx{1 + 2 * (kind == 'images')}-ubyte.gz").read_bytes()
        )
        for kind in HEADER
    }
    pictures, targets = (np.frombuffer(raw[kind][start:], np.uint8) for kind, start in HEADER.items())
    return pictures.reshape(-1, SIDE, SIDE), targets.astype(np.int64)


def _enhanced(enhancer: type, picture: Picture, factor: float) -> Picture:
    return np.asarray(enhancer(Image.fromarray(picture)).enhance(factor))


def _bytes(values: np.ndarray) -> Picture:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
