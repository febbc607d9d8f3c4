from flows.judgement_page import plain_table, told

GATE = {"code": "WD202", "status": "passed", "name": "accuracy at least 0.9", "observed": 0.95, "lower": 0.92}
NUMBERS = {"observed": 0.9, "lower": 0.85, "upper": 0.94, "rows": 1300}


def test_a_gate_that_measured_nothing_has_empty_cells_and_no_line_ends_in_spaces():
    empty = {"code": "WD201", "status": "not applicable", "name": "no test row in train"}
    empty |= dict.fromkeys(("observed", "lower", "upper", "limit"))
    lines = plain_table([{**GATE, "upper": None, "limit": 0.9}, empty])
    assert lines[0].split() == ["code", "answer", "gate", "observed", "bounds", "limit"]
    assert lines[1].endswith("0.950     0.920   0.900")
    assert lines[2] == "WD201  not applicable  no test row in train"


def test_the_worst_slice_and_the_first_score_of_a_further_set_are_told():
    slices = {"site": [{**NUMBERS, "value": "B"}, {**NUMBERS, "value": "A"}]}
    assert told({"slices": slices, "also": {"winter": {"accuracy": NUMBERS, "nll": NUMBERS}}}) == [
        "Worst of 2 slices by site: B, 0.900 (0.850 to 0.940) on 1,300 rows",
        "On winter: accuracy 0.900 (0.850 to 0.940) on 1,300 rows",
    ]


def test_what_rows_do_not_determine_is_said_so():
    slices = {"site": [{"observed": 1.0, "lower": None, "upper": None, "rows": 1, "value": "A"}]}
    assert told({"slices": slices, "also": {}}) == ["Slice by site: A, not determined on 1 rows"]


def test_decoys_are_told_first():
    decoys = [{"status": "refused"}, {"status": "refused"}]
    assert told({"slices": {}, "also": {}, "decoys": decoys}) == ["2 decoys, all refused"]
