import numpy as np

from data_checks.evidence.table import by_split, first_rows, name_rows, salted
from data_checks.splits import Split, Splits

PART = Split(np.eye(2), np.array([0, 1]), ids=np.array(["anna", "ben"]))
SPLITS = Splits(PART, PART, PART, also={"clinic": PART})


def test_a_value_a_split_is_said_of_all_its_rows():
    assert by_split(SPLITS, lambda name, split: name).tolist() == [
        n for n in SPLITS.named() for _ in range(2)
    ]
    assert first_rows(SPLITS) == {"train": 0, "validation": 2, "test": 4, "clinic": 6}


def test_private_rows_go_by_salted_keys_only():
    table = name_rows(SPLITS, salt="pepper")
    assert not table.isin(["anna", "ben"]).any().any()
    assert not table["id"].isin([key.decode() for key in PART.keys]).any()
    assert (table["id"] == table["key"]).all()


def test_public_rows_keep_their_ids():
    public = Splits(PART, PART, PART, public=True)
    assert name_rows(public, salt="")["id"].tolist() == ["anna", "ben"] * 3


def test_another_salt_gives_another_key_and_equal_rows_share_theirs():
    assert salted(PART.keys, "a").tolist() != salted(PART.keys, "b").tolist()
    table = name_rows(SPLITS, salt="a")
    assert table.groupby("split")["key"].apply(list).map(tuple).nunique() == 1
