import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from flows.decoys_told import decoys_line
from flows.page import page
from flows.plots import decay_curves
from flows.report import Summary, history_table, show

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


def test_what_is_said_of_the_file_stands_on_the_terminal_and_on_the_page():
    said = "The outputs are divided by 1.314. One row takes 0.05 ms. The file has 1,234 bytes (opset 20)."
    summary = replace(REFUSED, file=said)
    assert said in printed(summary)
    assert said in page(summary, {})


@pytest.mark.parametrize(
    ("outcome", "code"), [("promoted", 0), ("unchanged", 0), ("trained", 0), ("refused", 1)]
)
def test_only_a_refusal_has_exit_code_1(outcome, code):
    assert Summary(outcome, "", "", "digits", "abc").exit_code == code


def test_the_worst_slice_and_the_further_test_sets_are_told():
    numbers = {"observed": 0.9, "lower": 0.85, "upper": 0.94, "rows": 300}
    slices = {"site": [{**numbers, "attribute": "site", "value": "B[1]"}]}
    text = printed(replace(REFUSED, slices=slices, also={"winter": {"accuracy": numbers}}))
    assert "Slice by site: B[1], 0.900 (0.850 to 0.940) on 300 rows" in text
    assert "On winter: accuracy 0.900 (0.850 to 0.940) on 300 rows" in text


def test_the_summary_is_json():
    assert json.loads(json.dumps(REFUSED.as_dict()))["gates"][0]["status"] == "inconclusive"


def test_findings_about_the_decay_are_named_below_what_it_did_and_without_any_there_is_no_word():
    found = {"name": "inert", "sentence": "It takes 0.14 %.", "tensors": ()}
    told = printed(replace(REFUSED, decay="No measurable effect.", diagnoses=[found]))
    assert "No measurable effect.\ninert: It takes 0.14 %." in told
    assert "inert: It takes 0.14 %." in printed(replace(REFUSED, diagnoses=[found]))
    assert "What the weight decay did" not in printed(REFUSED)


DECAY = {
    "tensors": [
        {"name": "0.weight", "shape": [128, 64], "decayed": True, "reason": "matrix of Linear"},
        {"name": "<i>0.bias", "shape": [128], "decayed": False, "reason": "bias of Linear"},
    ],
    "readings": [
        {"step": 0, "tensors": []},
        *(
            {
                "step": step,
                "tensors": [
                    {
                        "name": "0.weight",
                        "rms": 0.25,
                        "norm_ratio": 1.5,
                        "distance_from_equilibrium": distance,
                    }
                ],
            }
            for step, distance in ((1, None), (200, -0.125))
        ),
    ],
}


def test_the_page_lists_what_is_decayed_what_is_not_and_why_and_where_it_ended():
    html = page(replace(REFUSED, diagnoses=[{"name": "weak", "sentence": "Little."}]), {}, DECAY)
    assert "1 of 2 tensors are decayed" in html
    assert all(
        part in html for part in ("128 x 64", "matrix of Linear", "1.500", "0.250", "-0.125", "Little.")
    )
    assert "&lt;i&gt;0.bias" in html
    assert "What the weight decay did" not in page(REFUSED, {})


def test_the_picture_of_the_decay_is_drawn_for_few_and_for_many_tensors():
    few = decay_curves(DECAY["readings"])
    assert few.startswith(b"\x89PNG")
    first = DECAY["readings"][1]["tensors"][0]
    many = [{"step": 1, "tensors": [{**first, "name": str(i)} for i in range(100)]}]
    assert decay_curves(many) != few


def test_the_page_shows_what_the_user_wrote_as_text_not_as_markup():
    html = page(REFUSED, {"Reliability": b"png"})
    assert "&lt;b&gt;Why" in html
    assert "http" not in html


def test_what_the_training_cost_is_one_line_on_the_terminal_and_on_the_page():
    told = replace(REFUSED, cost="Trained in 3.1 s: 27,000 rows a second.")
    assert "Trained in 3.1 s: 27,000 rows a second." in printed(told)
    assert "<p>Trained in 3.1 s: 27,000 rows a second.</p>" in page(told, {})


def test_what_corruptions_and_attacks_do_stands_on_the_terminal_and_on_the_page():
    errors = {"clean_error": 0.1, "corruption_error": 0.3, "corruption_error_ratio": None}
    worst = {"worst_corruption": "gaussian_noise", "worst_corruption_error": 0.5}
    told = replace(REFUSED, corruptions={**errors, **worst}, attacks="Under attack accuracy goes to 0.1.")
    line = "Under corruptions: error 0.300, beside the clean 0.100; worst under gaussian noise: 0.500"
    for text in (printed(told), page(told, {})):
        assert line in text
        assert "Under attack accuracy goes to 0.1." in text
    assert "Robustness" not in page(REFUSED, {})


DECOYS = [
    {"name": "skill: the constant itself", "status": "refused", "sentence": "Refused."},
    {"name": "skill: <i>permuted</i>", "status": "not applicable", "sentence": "There is none."},
]


def test_decoys_are_a_line_on_the_terminal_and_a_list_on_the_page():
    summary = replace(REFUSED, decoys=DECOYS)
    assert "1 decoy, refused; 1 not applicable" in printed(summary)
    html = page(summary, {})
    assert "<summary>1 decoy, refused; 1 not applicable</summary>" in html
    assert "skill: the constant itself" in html
    assert "<i>permuted" not in html
    assert "decoy" not in page(REFUSED, {})


def test_a_decoy_that_passed_is_told_loudly():
    lines = decoys_line([*DECOYS, {"status": "passed"}])
    assert lines == "2 decoys, 1 NOT refused, so that the gates cannot be believed; 1 not applicable"
    assert decoys_line(DECOYS[1:]) == "No decoy could be made on these rows; 1 not applicable"
    assert decoys_line([]) == ""


def test_every_slice_stands_on_the_page_with_its_bounds():
    worst = {"attribute": "site", "value": "<B>", "rows": 130, "observed": 0.9, "lower": 0.85, "upper": 0.94}
    unknown = {**worst, "value": "A", "rows": 1, "lower": None, "upper": None}
    html = page(replace(REFUSED, slices={"site": [worst, unknown]}), {})
    assert "Slices: site" in html
    assert "&lt;B&gt;" in html
    assert "0.850 to 0.940" in html


def test_the_history_shows_looks_left_new_rows_and_who_is_the_anchor():
    entry = {"at": "2026-01-01T00:00:00", "by": "ann", "version": None, "look": None, "looks": None}
    entry |= {"left": None, "anchor": False, "sentence": None}
    rows = [
        {"number": 1, "kind": "renewed", "sentence": "The test rows are new: 300 in place of 400."},
        {"number": 2, "kind": "booked", "look": 3, "looks": 20, "left": 17},
        {"number": 3, "kind": "promoted", "version": 2, "anchor": True, "sentence": "All gates let it pass."},
        {"number": 4, "kind": "succeeded", "sentence": "faces succeeds it. It knows a third class."},
    ]
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(history_table([{**entry, **row} for row in rows]))
    text = console.export_text()
    for part in ("300 in place of 400", "3 of 20, 17 left", "It becomes the anchor.", "faces succeeds it"):
        assert part in text
