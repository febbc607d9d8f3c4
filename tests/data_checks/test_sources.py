import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_checks.checks import check_splits
from data_checks.errors import DataError
from data_checks.sources import is_data, read_splits


@pytest.fixture
def folder(tmp_path):
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / part / name).mkdir(parents=True)
            for number in range(12):
                pixels = np.random.default_rng([number, len(part), ord(name[0])]).integers(
                    0, 256, (6, 6), np.uint8
                )
                Image.fromarray(pixels).save(tmp_path / part / name / f"{number}.png")
    table = pd.DataFrame({"a": np.arange(30.0), "site": list("abc") * 10, "y": ["no", "yes"] * 15})
    table.to_csv(tmp_path / "train.csv", index=False)
    table.assign(a=table["a"] + 0.5).to_csv(tmp_path / "test.csv", index=False)
    np.savez(tmp_path / "train.npz", x=np.eye(20), y=np.arange(20) % 2)
    np.savez(tmp_path / "test.npz", x=np.eye(20)[::-1] * 2, y=np.arange(20) % 2)
    return tmp_path


def test_two_files_can_be_checked_in_three_lines(folder):
    splits = read_splits(folder / "train.csv", folder / "test.csv", target="y", group="site")
    assert list(splits.train.inputs) == ["a"]
    assert (len(splits.validation), splits.public) == (0, False)
    report = check_splits(splits, needs_validation=False)
    assert next(f for f in report.findings if f.code == "DC130").status == "failed"


def test_arrays_and_folders_of_pictures_are_two_files_as_well(folder):
    arrays = read_splits(folder / "train.npz", folder / "test.npz", "y")
    assert (arrays.train.inputs.shape, arrays.test.targets.tolist()) == ((20, 20), [0, 1] * 10)
    pictures = read_splits(folder / "train", folder / "test", validation=folder / "test")
    assert pictures.train.attributes["class"].tolist() == ["cat"] * 12 + ["dog"] * 12
    assert [len(part) for part in pictures.named().values()] == [24, 24, 24]


@pytest.mark.parametrize(
    ("paths", "options", "said"),
    [
        (("train.csv", "test"), {"target": "y"}, "test is a folder and .* is none"),
        (("train.csv", "test.csv"), {}, "which column of .* is the target. It has a, site, y"),
        ((".", "test"), {}, "holds test and train rather than classes"),
        (("absent.csv", "test.csv"), {"target": "y"}, "there is no file"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(folder, paths, options, said):
    with pytest.raises(DataError, match=said):
        read_splits(*(folder / path for path in paths), **options)


def test_data_are_told_from_pipelines(folder):
    (folder / "package").mkdir()
    (folder / "package" / "__init__.py").touch()
    assert all(is_data(str(folder / name)) for name in ("train", "nowhere.csv", "A.PARQUET", "b.npz"))
    assert not any(
        is_data(name) for name in ("pipelines.digits", "mine.py", "mine.py:f", str(folder / "package"))
    )
