"""Does a reader see what a sweep found: in the table, the plot, the page and the rows?"""

import dataclasses
import io
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from flows import sweep_report
from pipelines.results import MemberResult, PointResult, Sweep
from wd_train.effects import DecayEffect, ScoreEffect


def effect(difference, lower, upper):
    found = ScoreEffect("accuracy", 0.9, 0.9 - difference, difference, lower, upper, "better", 2, 0)
    return DecayEffect("measured", (found,), 2, 80, 1.0, "It raised accuracy.")


def point(number, accuracy, *, control, values, diverged=0, decay=None, **more):
    members = tuple(
        MemberResult(seed, {}, "its loss was nan")
        if seed < diverged
        else MemberResult(seed, {"accuracy": accuracy, "nll": 0.5, "confidence_gap": 0.1}, "", 3, 1.0, 0.9)
        for seed in range(2)
    )
    defaults = {
        "words": " ".join(f"{name}={value}" for name, value in values.items()),
        "weight_decay": values.get("weight_decay", 0.0),
        "form": "decoupled",
        "schedule": "constant",
        "learning_rate": 0.01,
        "rows": 1.0,
        "listed": True,
        "members": members,
        "means": {} if diverged == 2 else {"accuracy": accuracy, "nll": 0.5, "confidence_gap": 0.1},
        "errors": {"accuracy": 0.01, "nll": math.nan},
        "effect": decay,
        "reaching": None,
        "command": f"wdgate run mine {number}",
    }
    return PointResult(**{**defaults, "control": control, "values": values, **more})


def sweep(points, axes, chosen=1):
    return Sweep(
        outcome="swept",
        sentence="Chosen of [several] points.",
        pipeline="mine",
        model="digits",
        axes=axes,
        seeds=2,
        folds=1,
        train_rows=80,
        validation_rows=150,
        primary="accuracy",
        points=tuple(points),
        best={"accuracy": 1, "nll": 0},
        chosen=chosen,
        ranges=(),
        notes=("It is optimistic.",),
        command="wdgate run mine weight_decay=1",
        seconds=4.0,
        folder="/somewhere",
    )


@pytest.fixture
def two():
    return sweep(
        [
            point(0, 0.9, control=0, values={"weight_decay": 0.0}),
            point(1, 0.925, control=0, values={"weight_decay": 1.0}, decay=effect(0.025, -0.01, 0.06)),
        ],
        {"weight_decay": [0.0, 1.0]},
    )


@pytest.fixture
def mixed():
    """Forms that share a control, and one that diverged."""
    forms = {"decay": ["l2", "cautious"], "weight_decay": [1.0]}
    return sweep(
        [
            point(0, 0.9, control=2, values={"decay": "l2", "weight_decay": 1.0}, decay=effect(0, -0.1, 0.1)),
            point(1, 0.9, control=2, values={"decay": "cautious", "weight_decay": 1.0}, diverged=2),
            point(2, 0.8, control=2, values={"weight_decay": 0.0}, listed=False),
        ],
        forms,
        chosen=0,
    )


def shown(result, width=160):
    stream = io.StringIO()
    sweep_report.show(result, Console(file=stream, width=width), "wdgate ui")
    return stream.getvalue()


def shown_table(result, width):
    stream = io.StringIO()
    Console(file=stream, width=width).print(sweep_report.table(result, width))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_the_table_holds_each_point_with_the_interval_of_its_effect(two):
    heads, rows = sweep_report.cells(two)
    assert heads == ["weight_decay", "accuracy", "effect (95 %)", "nll", ""]
    assert rows == [
        ["0", "90.0%", "", "0.5", "control"],
        ["1", "92.5%", "+2.5 (-1.0 to +6.0)", "0.5", "chosen"],
    ]


def test_a_point_that_diverged_is_counted_and_a_shared_control_has_no_form(mixed):
    heads, rows = sweep_report.cells(mixed)
    assert heads[:2] == ["decay", "weight_decay"]
    assert heads[-2] == "diverged"
    assert [row[-2] for row in rows] == ["", "2 of 2", ""]
    assert rows[2][0] == ""
    assert rows[1][2] == ""


@pytest.mark.parametrize(("width", "scores"), [(200, True), (56, False)])
def test_a_narrow_terminal_is_shown_fewer_scores_and_no_word_is_cut(two, width, scores):
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    console.print(sweep_report.table(two, width))
    assert ("nll" in stream.getvalue()) == scores
    assert "effect (95 %)" in stream.getvalue()
    assert "+2.5 (-1.0 to +6.0)" in stream.getvalue()
    assert "chosen" in stream.getvalue()
    assert sweep_report.left_out(two, width) == ([] if scores else ["nll"])


def test_a_table_that_just_fits_is_whole(two):
    width = max(map(len, shown_table(two, 200)))
    assert shown_table(two, width) == shown_table(two, 200)
    assert any("nll" in line for line in shown_table(two, width))
    assert not any("nll" in line for line in shown_table(two, width - 1))


@pytest.mark.parametrize("folder", ["/somewhere", ""])
def test_a_score_that_the_terminal_has_no_room_for_is_named(two, folder):
    narrow, wide = (shown(dataclasses.replace(two, folder=folder), width) for width in (50, 160))
    where = "sweep.md has them" if folder else "a wider terminal shows them"
    assert f"Too wide for this terminal: nll; {where}" in " ".join(narrow.split())
    assert "Too wide" not in wide


def test_a_person_reads_the_answer_the_command_and_where_the_files_are(two):
    words = shown(two)
    for expected in (
        "Chosen of [several] points.",
        "It is optimistic.",
        "wdgate run mine weight_decay=1",
        "/somewhere holds the table (sweep.md), the plot (sweep.png), the rows (sweep.parquet)",
        "(sweep.json)",
        "2 points, 2 seeds a point, 80 train rows, 150 validation rows",
        "wdgate ui",
    ):
        assert expected in words


def test_the_rows_are_tidy_one_a_member_and_metric(two):
    tidy = sweep_report.frame(two)
    assert len(tidy) == 2 * 2 * 3
    assert not tidy.duplicated(["point", "seed", "metric"]).any()
    found = tidy[(tidy.weight_decay == 1.0) & (tidy.seed == 1) & (tidy.metric == "accuracy")]
    assert found["value"].tolist() == [0.925]


def test_a_member_that_diverged_has_one_row_that_says_so(mixed):
    tidy = sweep_report.frame(mixed)
    lost = tidy[tidy.point == 1]
    assert lost["diverged"].tolist() == ["its loss was nan"] * 2
    assert lost["value"].isna().all()
    assert pd.isna(tidy[tidy.point == 2]["decay"]).all()


@pytest.mark.parametrize("name", ["two", "mixed"])
def test_all_files_are_written_whole_and_again(name, request, tmp_path):
    result = request.getfixturevalue(name)
    for _ in range(2):
        paths = sweep_report.write(result, tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        ["sweep.json", "sweep.md", "sweep.parquet", "sweep.png"]
    )
    assert paths["png"].read_bytes().startswith(b"\x89PNG")
    pd.testing.assert_frame_equal(
        pd.read_parquet(paths["parquet"]), sweep_report.frame(result), check_dtype=False
    )
    assert "| chosen |" in paths["md"].read_text()


def test_a_write_that_fails_leaves_the_former_files(two, tmp_path, monkeypatch):
    paths = sweep_report.write(two, tmp_path)
    before = paths["png"].read_bytes()

    def fail(result):
        raise MemoryError

    monkeypatch.setattr(sweep_report, "plot", fail)
    with pytest.raises(MemoryError):
        sweep_report.write(two, tmp_path)
    assert paths["png"].read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def panels(result, monkeypatch):
    """The panels of the plot as they were drawn."""
    from matplotlib.figure import Figure

    drawn = []
    real = Figure.savefig

    def keep(figure, *args, **kwargs):
        drawn.append(figure)
        return real(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    sweep_report.plot(result)
    return drawn[0].axes


def test_zero_and_every_value_are_shown_on_a_logarithmic_axis(monkeypatch):
    values = [0.0, 0.1, 1.0, 10.0]
    points = [
        point(n, 0.9, control=0, values={"weight_decay": value}, decay=effect(0, -0.1, 0.1) if n else None)
        for n, value in enumerate(values)
    ]
    panel = panels(sweep(points, {"weight_decay": values}), monkeypatch)[0]
    assert panel.get_xscale() == "symlog"
    assert [label.get_text() for label in panel.get_xticklabels()] == ["0", "0.1", "1", "10"]
    assert panel.lines[0].get_xdata().tolist() == values
    assert panel.get_ylabel() == "accuracy"


def test_words_are_drawn_one_after_another_with_the_controls_left_out(mixed, monkeypatch):
    panel = panels(mixed, monkeypatch)[0]
    assert panel.get_xlabel() in ("decay", "weight decay")


def test_the_interval_of_an_effect_is_the_bar_around_its_point(two, monkeypatch):
    panel = panels(two, monkeypatch)[0]
    segments = panel.collections[0].get_segments()
    assert segments[1][:, 1].tolist() == pytest.approx([0.89, 0.96])
    assert segments[0][:, 1].tolist() == pytest.approx([0.9, 0.9])


@pytest.mark.parametrize(("accuracy", "ends"), [(0.99, [0.89, 1.0]), (0.05, [0.0, 0.15])])
def test_a_bar_ends_where_a_score_does(accuracy, ends, monkeypatch):
    points = [
        point(0, 0.9, control=0, values={"weight_decay": 0.0}),
        point(1, accuracy, control=0, values={"weight_decay": 1.0}, decay=effect(0.0, -0.1, 0.1)),
    ]
    panel = panels(sweep(points, {"weight_decay": [0.0, 1.0]}), monkeypatch)[0]
    assert panel.collections[0].get_segments()[1][:, 1].tolist() == pytest.approx(ends)


@given(
    st.sampled_from(["accuracy", "nll", "corrupted_accuracy", "profit"]),
    st.floats(0, 1),
    st.floats(-1, 1),
    st.floats(0, 2) | st.just(math.nan),
    st.floats(0, 2) | st.just(math.inf),
)
def test_no_bar_is_negative_infinite_or_leaves_what_a_score_can_be(score, at, middle, below, above):
    found = ScoreEffect(score, 0.5, 0.5, middle, middle - below, middle + above)
    least, most = sweep_report.possible(score)
    down, up = sweep_report.bar(found, score, at)
    assert 0 <= down < math.inf
    assert 0 <= up < math.inf
    assert least <= at - down + 1e-9
    assert at + up <= most + 1e-9


def test_a_decay_that_is_no_axis_stands_in_the_table_and_the_plot_all_the_same(monkeypatch):
    rows = {"rows": [0.25, 1.0]}
    result = sweep(
        [
            point(n, 0.9, control=2 + n, values={"rows": share}, decay=effect(0, -0.1, 0.1), weight_decay=0.3)
            for n, share in enumerate(rows["rows"])
        ]
        + [
            point(2 + n, 0.8, control=2 + n, values={"rows": share, "weight_decay": 0.0})
            for n, share in enumerate(rows["rows"])
        ],
        rows,
    )
    heads, lines = sweep_report.cells(result)
    assert [line[heads.index("weight_decay")] for line in lines] == ["0.3", "0.3", "0", "0"]
    panel = panels(result, monkeypatch)[0]
    drawn = next(line.get_xdata().tolist() for line in panel.lines if len(line.get_xdata()) == 2)
    assert drawn == [0.0, 0.3]
