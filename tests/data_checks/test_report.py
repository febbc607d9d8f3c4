import json

import numpy as np
import pandas as pd
import pytest

from data_checks.errors import DataCheckFailed
from data_checks.report import DataReport, Finding


def report_of(*statuses):
    findings = [
        Finding(f"DC{i:03}", f"title {i}", status, f"sentence {i}.") for i, status in enumerate(statuses)
    ]
    return DataReport(tuple(findings), None, {"test": "abc"}, np.array([True, False]))


@pytest.mark.parametrize(
    "statuses", [(), ("failed",), ("error",), ("passed", "failed"), ("passed", "unheard of")]
)
def test_what_did_not_pass_is_raised(statuses):
    report = report_of(*statuses)
    assert not report.passed
    with pytest.raises(
        DataCheckFailed,
        match="No check of the data" if not statuses else r"^title \d \(DC\d{3}\): sentence \d\.$",
    ):
        report.raise_if_failed()


def test_warnings_and_what_does_not_apply_let_pass():
    report = report_of("passed", "warned", "not applicable")
    assert report.passed
    report.raise_if_failed()


def test_a_report_is_plain_values():
    values = json.loads(json.dumps(report_of("passed").as_dict()))
    assert (values["left_out"], values["findings"][0]["code"]) == (1, "DC000")


def test_a_report_that_could_ask_nothing_has_not_passed():
    finding = Finding("DC130", "groups", "not applicable", "No groups were given.")
    report = DataReport((finding,), pd.DataFrame(), {}, np.zeros(0, bool))
    assert not report.passed
    assert "nothing is known" in report.sentence


def test_the_verdict_names_what_warned_and_what_is_not_vouched_for():
    findings = (Finding("DC120", "t", "passed", "s", (), False, 0.2), Finding("DC170", "t", "warned", "s"))
    sentence = DataReport(findings, pd.DataFrame(), {}, np.zeros(0, bool)).sentence
    assert "1 checks of the data passed, 1 warned (DC170)" in sentence
    assert sentence.endswith("Not vouched for: DC120.")
