import re

import numpy as np
import pytest

from data_checks.checks import check_splits
from data_checks.kinds.texts import CHECKS, quoting, reworded
from data_checks.splits import Split, Splits

RNG = np.random.default_rng(1)
WORDS = np.array([f"word{n}" for n in range(3000)])
ODDS = 1 / np.arange(10, 3010)


def documents(count, length):
    rows = [" ".join(RNG.choice(WORDS, length, p=ODDS / ODDS.sum())) for _ in range(count)]
    return np.array(rows, object)


def split(texts, columns=False):
    return Split({"text": texts, "n": np.arange(len(texts))} if columns else texts, np.arange(len(texts)) % 2)


def splits(length=60, columns=False, public=True):
    whole = documents(160, length)
    parts = [split(whole[a:b], columns) for a, b in ((0, 100), (100, 120), (120, 160))]
    return Splits(*parts, public=public)


@pytest.mark.parametrize("columns", [False, True])
def test_honest_documents_pass_and_every_plant_is_found(columns):
    finding = check_splits(splits(columns=columns), CHECKS).findings[0]
    assert finding.status == "passed", finding.sentence
    assert set(finding.shares) == {"a word changed", "5 % of words changed", "a quoted passage"}
    assert finding.vouched_for


def test_short_texts_have_no_passage_to_quote():
    data = splits(length=12)
    assert quoting(data, RNG) is None
    assert reworded(data, RNG, share=0.05, words=20) is None
    finding = check_splits(data, CHECKS).findings[0]
    assert set(finding.shares) == {"a word changed"}
    assert finding.vouched_for


def test_the_sentence_names_both_rows_the_share_and_the_passage():
    data = splits()
    passage = data.train.inputs[7].split()[20:50]
    data.test.inputs[3] = " ".join([*data.test.inputs[3].split(), *passage])
    finding = check_splits(data, CHECKS, self_test=False).findings[0]
    assert finding.status == "warned"
    assert finding.rows == ("3",)
    assert re.search(r"test row 3 shares (4|5)\d% of the rare passages with train row 7", finding.sentence)
    assert f'"{" ".join(passage[:10])} ..."' in finding.sentence


def test_words_of_private_data_are_not_told():
    data = splits(public=False)
    data.test.inputs[3] = data.train.inputs[7] + " more"
    finding = check_splits(data, CHECKS, self_test=False, salt="s").findings[0]
    assert finding.status == "warned"
    assert "word" not in finding.sentence.replace("words", "")


def test_it_is_not_asked_of_numbers():
    part = Split(np.arange(20.0)[:, None], np.arange(20) % 2)
    finding = check_splits(Splits(part, part, part), CHECKS).findings[0]
    assert finding.status == "not applicable"
    assert "no column holds texts" in finding.sentence
