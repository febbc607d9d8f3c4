"""Are IDX files read as they are, and wrong ones refused?"""

import gzip
import struct

import numpy as np
import pytest
import torch

from data_checks.errors import DataError
from pipelines.fashion_mnist import CLASSES, Pixels, build_model, load_splits, pipeline, read_idx
from pipelines.pipeline import load_pipeline


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_set(folder, train=20, test=5, pack=gzip.compress, suffix=".gz"):
    random = np.random.default_rng(0)
    for part, rows in (("train", train), ("t10k", test)):
        pictures = random.integers(0, 256, size=(rows, 28, 28), dtype=np.uint8)
        targets = random.integers(0, 10, size=rows, dtype=np.uint8)
        (folder / f"{part}-images-idx3-ubyte{suffix}").write_bytes(pack(idx(pictures)))
        (folder / f"{part}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(targets)))


@pytest.mark.parametrize(("pack", "suffix"), [(gzip.compress, ".gz"), (bytes, "")])
def test_a_folder_of_idx_files_becomes_splits(tmp_path, pack, suffix):
    write_set(tmp_path, pack=pack, suffix=suffix)
    splits = load_splits(tmp_path)
    assert [len(part) for part in splits.named().values()] == [18, 2, 5]
    assert (splits.train.inputs.dtype, splits.train.inputs.shape) == (np.uint8, (18, 28, 28))
    assert splits.train.targets.dtype == np.int64


def test_an_idx_file_gives_back_its_array(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    file = tmp_path / "file.gz"
    file.write_bytes(gzip.compress(idx(array)))
    np.testing.assert_array_equal(read_idx(file), array)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not gzip at all", "cannot be read, it may be damaged or cut short"),
        (
            gzip.compress(idx(np.zeros((9, 9), np.uint8)))[:-12],
            "cannot be read, it may be damaged or cut short",
        ),
        (gzip.compress(b"\1\2\3\4\5"), "begins with 01020304, expected an IDX file of bytes"),
        (gzip.compress(b""), "begins with nothing"),
        (gzip.compress(b"\0\0\x0d\1\0\0\0\0"), "begins with 00000d01"),
        (gzip.compress(b"\0\0\x08\3\0\0"), "ends inside its header of 16 bytes"),
        (gzip.compress(idx(np.zeros(9, np.uint8))[:-2]), "holds 7 bytes, expected 9 for shape"),
        (gzip.compress(idx(np.zeros(9, np.uint8)) + b"\0"), "holds 10 bytes, expected 9 for shape"),
    ],
)
def test_a_damaged_file_is_refused_with_what_it_holds(tmp_path, content, said):
    file = tmp_path / "file.gz"
    file.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_idx(file)
    assert said in str(raised.value)


def test_absent_data_say_where_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"apt-get install dataset-fashion-mnist.*folder=\.\.\."):
        load_splits(tmp_path)


def test_pictures_and_targets_must_belong_together(tmp_path):
    write_set(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.zeros(3, np.uint8))))
    with pytest.raises(DataError, match="train pictures of shape"):
        load_splits(tmp_path)


def test_the_folder_is_an_argument_of_the_pipeline(tmp_path):
    write_set(tmp_path)
    plan = load_pipeline("pipelines.fashion_mnist", {"folder": str(tmp_path)})
    assert len(plan.pipeline.splits().test) == 5
    assert plan.pipeline.control.rows == 0.1


def test_the_network_gives_an_output_a_class(tmp_path):
    write_set(tmp_path)
    train = load_splits(tmp_path).train
    prepared = Pixels(train)(torch.tensor(train.inputs))
    assert prepared.shape == (18, 1, 28, 28)
    assert abs(float(prepared.mean())) < 1e-4
    assert build_model(train)(prepared).shape == (18, len(CLASSES))


def test_nothing_is_read_before_a_step_asks():
    assert pipeline(folder="no such folder").name == "fashion_mnist"
