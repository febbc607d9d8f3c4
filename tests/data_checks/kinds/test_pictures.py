import numpy as np
from scipy.ndimage import gaussian_filter

from data_checks.checks import check_splits
from data_checks.kinds.pictures import CHECKS
from data_checks.splits import Split, Splits


def blobs(n, seed):
    fields = gaussian_filter(np.random.default_rng(seed).normal(size=(n, 28, 28)), (0, 1.5, 1.5))
    return np.rint(np.clip(128 + 60 * fields / fields.std(), 0, 255)).astype(np.uint8)


def splits(train, test):
    return Splits(
        Split(train, np.arange(len(train)) % 3),
        Split(train[:0], np.arange(0)),
        Split(test, np.arange(len(test)) % 3),
        public=True,
    )


def ask(data, self_test=False):
    report = check_splits(data, CHECKS, self_test=self_test, needs_validation=False)
    return {finding.code: finding for finding in report.findings}, report


def test_honest_pictures_pass_and_every_plant_is_found():
    findings, _ = ask(splits(blobs(300, 0), blobs(100, 1)), self_test=True)
    for finding in findings.values():
        assert finding.status == "passed"
        assert finding.vouched_for, (finding.code, finding.shares)


def test_a_changed_picture_is_told_of_in_words_and_left_out():
    train, test = blobs(300, 0), blobs(300, 1)
    test[7] = train[42] ^ 3
    findings, report = ask(splits(train, test))
    assert findings["DC125"].status == "warned"
    sentence = (
        "test row 7 is train row 42 re-encoded (grey levels differ by at most 3 of 255); left out of judging."
    )
    assert findings["DC125"].sentence == sentence
    assert np.flatnonzero(report.left_out).tolist() == [7]
    test[8] = 255 - train[9]
    test[9] = train[10, ::-1]
    findings, _ = ask(splits(train, test))
    assert findings["DC125"].status == "failed"
    assert "test row 8 is train row 9 inverted (" in findings["DC125"].sentence
    assert "test row 9 is train row 10 upside down (" in findings["DC125"].sentence


def test_a_marked_picture_is_told_of_and_stays():
    train, test = blobs(300, 0), blobs(300, 1)
    test[7] = train[42]
    test[7, 4:10, 4:10] = 0
    findings, report = ask(splits(train, test))
    assert findings["DC125"].status == "passed"
    assert findings["DC126"].status == "warned"
    assert findings["DC126"].sentence.startswith("test row 7 is train row 42 with a mark or another detail")
    assert not report.left_out.any()


def test_a_mark_of_a_class_is_told_of():
    data = splits(blobs(300, 0), blobs(100, 1))
    data.train.inputs[data.train.targets == 2, 2:6, 2:6] = 255
    findings, _ = ask(data)
    assert findings["DC155"].status == "warned"
    assert (
        "a mark of 16 pixels near the top left tells class 2 (100.0% of its rows"
        in findings["DC155"].sentence
    )


def test_tables_are_not_asked():
    table = np.random.default_rng(0).normal(size=(100, 64))
    findings, _ = ask(splits(table, table[:50] + 1))
    assert {finding.status for finding in findings.values()} == {"not applicable"}
