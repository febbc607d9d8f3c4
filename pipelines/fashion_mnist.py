"""Which piece of clothing is on the picture? 70,000 pictures (Xiao, Rasul & Vollgraf 2017)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from data_checks.errors import DataError
from pipelines import (
    Classification,
    Control,
    Decay,
    Pipeline,
    Split,
    Splits,
    Training,
    at_least,
    no_worse,
    within,
)
from wd_train.forms import FormName

FOLDER = Path("/usr/share/datasets/fashion-mnist")
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
UNSIGNED_BYTES = 0x08


class Pixels(nn.Module):
    """Pictures (N, 28, 28) of brightness 0 to 255 as (N, 1, 28, 28) around 0, with a spread of 1."""

    def __init__(self, train: Split) -> None:
        super().__init__()
        pictures = np.asarray(train.inputs)
        self.mean, self.spread = float(pictures.mean()), float(pictures.std())

    def forward(self, inputs: Tensor) -> Tensor:
        """Pictures (N, 1, 28, 28)."""
        return ((inputs.float() - self.mean) / self.spread).unsqueeze(1)


def build_model(train: Split) -> nn.Module:
    """Two layers of filters and two of matrices."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),  # (N, 16, 28, 28)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (N, 16, 14, 14)
        nn.Conv2d(16, 32, 3, padding=1),  # (N, 32, 14, 14)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (N, 32, 7, 7)
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, len(CLASSES)),
    )


def load_splits(folder: Path) -> Splits:
    """The first 54,000 train pictures to fit on, the last 6,000 to choose on, and the 10,000 test pictures.

    Raises:
        DataError: files that are missing, cut short, or no IDX files.
    """
    rows, test = _read_part(folder, "train"), _read_part(folder, "t10k")
    train, validation = np.split(np.arange(len(rows)), [math.ceil(len(rows) * 0.9)])
    return Splits(
        train=rows.take(train),
        validation=rows.take(validation),
        test=test,
        public=True,
        source="Fashion-MNIST",
    )


def read_idx(file: Path) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, gzipped or plain (format: LeCun, the MNIST page).

    Raises:
        DataError: a file that is missing, damaged, cut short, or no IDX file of unsigned bytes.
    """
    content = _unzipped(file)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTES:
        raise DataError(
            f"{file} begins with {content[:4].hex() or 'nothing'}, expected an IDX file of bytes (000008..)"
        )
    dimensions = content[3]
    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(f"{file} ends inside its header of {header} bytes")
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise DataError(
            f"{file} holds {len(content) - header:,} bytes, expected {math.prod(shape):,} for shape {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def pipeline(
    *,
    folder: Path = FOLDER,
    weight_decay: float = 0.3,
    decay: FormName = "decoupled",
    learning_rate: float = 2e-3,
    epochs: int = 6,
    batch_size: int = 128,
    seed: int = 0,
) -> Pipeline:
    """A small convolutional network; a pair of controls on a tenth of the rows measures the decay."""
    return Pipeline(
        name="fashion_mnist",
        splits=partial(load_splits, folder),
        task=Classification(CLASSES),
        preprocess=Pixels,
        model=build_model,
        training=Training(
            weight_decay=weight_decay,
            decay=Decay(decay),
            learning_rate=learning_rate,
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
        ),
        gates=[at_least("accuracy", 0.88), within("confidence_gap", 0.03), no_worse("accuracy", margin=0.01)],
        control=Control(seeds=3, budget=0.6, rows=0.1),
    )


def _read_part(folder: Path, part: str) -> Split:
    pictures = read_idx(_find(folder, f"{part}-images-idx3-ubyte"))
    targets = read_idx(_find(folder, f"{part}-labels-idx1-ubyte"))
    if pictures.ndim != 3 or targets.ndim != 1 or len(pictures) != len(targets):
        raise DataError(
            f"{folder} has {part} pictures of shape {pictures.shape} and targets of shape {targets.shape}, "
            f"expected (N, height, width) and (N,)"
        )
    return Split(pictures, targets.astype(np.int64))


def _find(folder: Path, name: str) -> Path:
    for file in (folder / f"{name}.gz", folder / name):
        if file.is_file():
            return file
    raise DataError(
        f"{folder} has no {name}.gz: install Debian's package (apt-get install dataset-fashion-mnist), "
        f"or name a folder that has the four IDX files (folder=...)"
    )


def _unzipped(file: Path) -> bytes:
    try:
        return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} cannot be read, it may be damaged or cut short: {error}") from error
