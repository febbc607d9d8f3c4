import io
import json

import pytest
from rich.console import Console

from flows.page import page
from flows.report import Summary, show

GATE = {
    "code": "WD202",
    "name": "accuracy at least 0.88",
    "status": "inconclusive",
    "observed": 0.9,
    "lower": 0.87,
    "upper": None,
    "limit": 0.88,
    "sentence": "It is 90 %, and may be as low as 87 %.",
}
FINDING = {
    "code": "DC110",
    "title": "Exact duplicates",
    "status": "passed",
    "sentence": "None.",
    "rows": [],
    "vouched_for": False,
    "share_found": 0.5,
    "shares": {"copies": 0.5},
}
REFUSED = Summary(
    "refused", "gates", "Refused. <b>Why</b>", "digits", "abc", gates=[GATE], findings=[FINDING]
)


def printed(summary):
    console = Console(width=160, record=True, file=io.StringIO())
    show(summary, console, "wdgate ui")
    return console.export_text()


def test_the_summary_shows_every_gate_with_observed_bound_and_limit():
    text = printed(REFUSED)
    assert all(part in text for part in ("WD202", "inconclusive", "0.900", "0.870", "0.880"))


def test_a_check_that_missed_planted_leaks_is_said_not_to_be_vouched_for():
    assert "Not vouched for: of the leaks that were planted it found copies 50%." in printed(REFUSED)


def test_the_summary_names_the_run_and_the_command_that_opens_it():
    text = printed(REFUSED)
    assert "abc" in text
    assert "wdgate ui" in text


@pytest.mark.parametrize(
    ("outcome", "code"), [("promoted", 0), ("unchanged", 0), ("trained", 0), ("refused", 1)]
)
def test_only_a_refusal_has_exit_code_1(outcome, code):
    assert Summary(outcome, "", "", "digits", "abc").exit_code == code


def test_the_summary_is_json():
    assert json.loads(json.dumps(REFUSED.as_dict()))["gates"][0]["status"] == "inconclusive"


def test_the_page_shows_what_the_user_wrote_as_text_not_as_markup():
    html = page(REFUSED, {"Reliability": b"png"})
    assert "&lt;b&gt;Why" in html
    assert "http" not in html
