import numpy as np
import pandas as pd
import pytest
from PIL import Image

from data_checks.errors import DataError
from data_checks.proposing import propose
from data_checks.readers import Named, image_folder, read_table
from data_checks.splitting import split

RNG = np.random.default_rng(0)


def numbers(rows, **columns):
    made = {name: RNG.normal(size=rows) for name in ("a", "b", "c", "d")}
    return pd.DataFrame({**made, **columns, "y": RNG.integers(0, 2, rows)})


def patients():
    level = np.repeat(RNG.normal(size=60), 4) * 3
    return numbers(240, patient_id=np.repeat(np.arange(60), 4)).assign(a=lambda t: t["a"] + level)


def visits():
    return numbers(200, visited=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(200), unit="D"))


def doubled():
    table = numbers(200)
    return pd.concat([table, table.iloc[:20].assign(a=lambda t: t["a"] + 1e-9)], ignore_index=True)


TABLES = {"group": patients, "time": visits, "near": doubled, "row": lambda: numbers(200)}


@pytest.mark.parametrize("by", TABLES)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_is_split_by_what_keeps_its_rows_together_and_python_does_the_same(tmp_path, by, ending):
    table, path = TABLES[by](), tmp_path / f"rows.{ending}"
    table.to_csv(path, index=False) if ending == "csv" else table.to_parquet(path)
    found = propose(path, Named("y"))
    assert found.by == by
    again = eval(found.call, {"split": split, "read_table": read_table})
    assert again.fingerprints == found.splits.fingerprints
    places = np.sort(np.concatenate(list(found.places.values())))
    assert places.tolist() == list(range(len(table)))
    for name, part in found.splits.named().items():
        assert part.inputs["b"].tolist() == table["b"].to_numpy()[found.places[name]].tolist()


def test_what_is_named_goes_before_what_is_found(tmp_path):
    path = tmp_path / "rows.parquet"
    patients().assign(
        visited=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(240), unit="D")
    ).to_parquet(path)
    found = propose(path, Named("y"))
    assert (found.by, "--time visited" in found.reasons[0]) == ("group", True)
    timed = propose(path, Named("y", time="visited"))
    assert (timed.by, "patient_id" in timed.splits.train.inputs) == ("time", True)
    both = propose(path, Named("y", group="patient_id", time="visited"))
    assert "DC130" in both.reasons[-1]


def test_names_of_rows_are_no_inputs_and_rows_stay_by_them(tmp_path):
    path = tmp_path / "rows.parquet"
    numbers(200, row_id=np.arange(500, 700)).to_parquet(path)
    found = propose(path, Named("y"))
    assert "row_id" not in found.splits.train.inputs
    assert set(found.splits.test.ids.tolist()) <= set(range(500, 700))
    assert "ids='row_id'" in found.call


@pytest.mark.parametrize(
    ("value", "said"),
    [(np.nan, r"1 different rows \(100 rows\) are too few"), (7.0, "100 of 100 rows are nearly equal")],
)
def test_rows_that_are_all_equal_leave_nothing_to_judge_on(tmp_path, value, said):
    table = numbers(100)
    table[["a", "b", "c", "d"]] = value
    table.to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=said):
        propose(tmp_path / "rows.parquet", Named("y"))


@pytest.mark.parametrize("kind", [IndexError, ValueError, np.linalg.LinAlgError])
def test_rows_that_cannot_be_measured_are_split_by_row(tmp_path, monkeypatch, kind):
    def clusters(rows):
        raise kind("nothing to measure by")

    monkeypatch.setattr("data_checks.evidence.clusters.clusters", clusters)
    numbers(100).to_parquet(tmp_path / "rows.parquet")
    found = propose(tmp_path / "rows.parquet", Named("y"))
    assert (found.by, "cannot be looked for (nothing to measure by)" in found.reasons[0]) == ("row", True)


def test_what_was_not_looked_for_is_not_denied(tmp_path):
    path, gaps = tmp_path / "rows.parquet", numbers(200)

    def reason(table):
        table.to_parquet(path)
        found = propose(path, Named("y"))
        assert found.by == "row"
        return found.reasons[-1]

    assert "and no row is nearly equal to another." in reason(gaps)
    assert "whether any are nearly equal cannot be told (rows of fewer than 4" in reason(
        gaps[["a", "b", "y"]]
    )
    gaps.loc[gaps.index[:20], "a"] = np.nan
    assert "but for 20 of 200 rows, which lack numbers, that cannot be told" in reason(gaps)
    gaps.loc[gaps.index[:195], "a"] = np.nan
    assert "cannot be told (only 5 of 200 rows have all of their numbers)" in reason(gaps)


def test_a_salt_is_found_that_leaves_no_part_empty(tmp_path):
    path = tmp_path / "rows.parquet"
    numbers(60).assign(g=np.repeat(np.arange(10), 6)).to_parquet(path)
    found = propose(path, Named("y", group="g"))
    assert all(len(places) for places in found.places.values())
    numbers(60).assign(g=1).to_parquet(path)
    with pytest.raises(DataError, match="too few"):
        propose(path, Named("y", group="g"))


@pytest.mark.parametrize("sizes", [[(8, 8)], [(8, 8), (10, 12)]])
def test_a_folder_of_pictures_is_split_by_near_copies(tmp_path, sizes):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(30):
            made = Image.fromarray(RNG.integers(0, 256, sizes[number % len(sizes)], np.uint8))
            made.save(tmp_path / name / f"{number}.png")
    first = tmp_path / "cat" / "0.png"
    (tmp_path / "dog" / "copy.png").write_bytes(first.read_bytes())
    found = propose(tmp_path, None)
    assert found.by == "near"
    again = eval(found.call, {"split": split, "image_folder": image_folder})
    assert again.fingerprints == found.splits.fingerprints
