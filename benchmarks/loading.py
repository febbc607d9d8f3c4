"""How fast does a training read a folder of pictures, beside torch's DataLoader with two workers?

    python benchmarks/loading.py [--rounds 5] [--quick]

Ratios of times taken in one run, on the clock: in each round the contestants take turns over the same epoch,
so that a slow moment of the machine hits all alike, and the median round counts. Each epoch is counted whole,
with the start of every process. All decode with Pillow, resize, scale and train the same small network on one
thread; the folder lies in the cache of the disk. A short epoch is shown too: there no process is begun.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from data_checks.pictures import Pictures, image_folder
from data_checks.splits import Split
from wd_train import loading
from wd_train.network import CPU
from wd_train.rows import Rows

BATCH = 64


@dataclass(frozen=True)
class Case:
    """An epoch over a folder.

    Args:
        name: in the table.
        side: of the pictures as they are stored.
        ending: of their files.
        size: that they are resized to.
        rows: of the epoch.
    """

    name: str
    side: int
    ending: str
    size: int
    rows: int


CASES = (
    Case("256 x 256 JPEG to 128, 12,800 rows", 256, "jpg", 128, 12_800),
    Case("256 x 256 JPEG, 12,800 rows", 256, "jpg", 256, 12_800),
    Case("32 x 32 PNG, 96,000 rows", 32, "png", 32, 96_000),
    Case("32 x 32 PNG, 6,400 rows", 32, "png", 32, 6_400),
)
FILES = 640


class Scale(nn.Module):
    """From pictures (n, H, W, 3) to what filters take."""

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.permute(0, 3, 1, 2).float() / 255


class Folder(Dataset):
    """The same pictures, as a Dataset of one picture each."""

    def __init__(self, pictures: Pictures) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Tensor:
        with Image.open(self.pictures.files[index]) as picture:
            plain = picture.convert("RGB")
        height, width = self.pictures.size
        sized = plain if plain.size == (width, height) else plain.resize((width, height))
        return torch.from_numpy(np.array(sized)).permute(2, 0, 1).float() / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one round of the short epoch")
    words = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # so that a line is seen when it is there
    torch.set_num_threads(1)
    print(f"python benchmarks/loading.py {' '.join(sys.argv[1:])}".rstrip())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, 1 thread, torch {torch.__version__}"
    print(f"{machine}, load {os.getloadavg()[0]:.1f} at the start")
    rounds = 1 if words.quick else words.rounds
    print(f"medians of {rounds} rounds; seconds an epoch; ratio: DataLoader by ahead, wanted at least 1\n")
    print(f"{'':36}{'in turn':>9}{'ahead':>8}{'DataLoader':>12}{'ratio':>7}{'of rounds':>14}  made ahead")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES[-1:] if words.quick else CASES:
            print(line(case, [one_round(case, Path(folder)) for _ in range(rounds)]))


def line(case: Case, rounds: list[dict[str, float]]) -> str:
    seconds = [statistics.median(times[name] for times in rounds) for name in ("in turn", "ahead", "loader")]
    ratios = sorted(times["loader"] / times["ahead"] for times in rounds)
    ratio, spread = statistics.median(ratios), f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    share = statistics.median(times["share"] for times in rounds)
    said = "" if ratio >= 1 else "   below 1"
    times = f"{seconds[0]:9.2f}{seconds[1]:8.2f}{seconds[2]:12.2f}"
    return f"{case.name:36}{times}{ratio:7.2f}{spread:>14}{share:11.0%}{said}"


def one_round(case: Case, folder: Path) -> dict[str, float]:
    pictures = pictures_of(case, folder)
    split = Split(pictures, np.zeros(len(pictures), np.int64))
    order = torch.randperm(case.rows).split(BATCH)
    before, loading.PAYS_SECONDS = loading.PAYS_SECONDS, float("inf")
    in_turn = seconds_of(ours(split, order))
    loading.PAYS_SECONDS = before
    with counted() as begun:
        ahead = seconds_of(ours(split, order))
    share = sum(process.given for process in begun) / len(order)
    loader = DataLoader(Folder(pictures), batch_sampler=[part.tolist() for part in order], num_workers=2)
    return {"in turn": in_turn, "ahead": ahead, "loader": seconds_of(iter(loader)), "share": share}


class counted:  # noqa: N801 - read as a function
    """The processes that are begun within a context."""

    def __enter__(self) -> list[loading.Ahead]:
        self._begun, begun = loading.begun, []

        def begin(*args, **more):
            process = self._begun(*args, **more)
            begun.extend([] if process is None else [process])
            return process

        loading.begun = begin
        return begun

    def __exit__(self, *error: object) -> None:
        loading.begun = self._begun


def ours(split: Split, order: tuple[Tensor, ...]) -> Iterator[Tensor]:
    return (inputs for _, inputs in Rows(split, Scale(), CPU).stream(iter(order), 1))


def seconds_of(batches: Iterator[Tensor]) -> float:
    """Seconds of an epoch of a small network over the batches."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters())
    started = time.perf_counter()
    for batch in batches:
        loss = nn.functional.cross_entropy(net(batch), torch.zeros(len(batch), dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - started


def pictures_of(case: Case, folder: Path) -> Pictures:
    """The pictures of a case, each as often as its epoch needs."""
    root = folder / f"{case.side}{case.ending}"
    if not root.exists():
        draw_pictures(case, root)
    read = image_folder(root, size=(case.size, case.size)).inputs
    return Pictures(read.files * (case.rows // len(read)), read.size, read.mode)


def draw_pictures(case: Case, root: Path) -> None:
    generator = np.random.default_rng(0)
    (root / "a").mkdir(parents=True)
    for number in range(FILES):
        coarse = Image.fromarray(generator.integers(0, 256, (8, 8, 3), np.uint8))
        smooth = np.asarray(coarse.resize((case.side, case.side)), int)
        noisy = smooth + generator.integers(-12, 13, smooth.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(root / "a" / f"{number}.{case.ending}")


if __name__ == "__main__":
    main()
