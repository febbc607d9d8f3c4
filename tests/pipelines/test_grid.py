"""Do words become the points that they mean, each with the control that it is compared with?"""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from pipelines.arguments import convert
from pipelines.grid import as_text, grid_of, read_asked, size_in_words, training_form
from wd_train.decay import Decay
from wd_train.training import Training

OWN = """
from functools import partial
from torch import nn
from pipelines import Classification, Pipeline, Training
from wd_train.decay import Decay

class Opaque:
    __slots__ = ("width",)

def rows(folder): pass

def pipeline(*, weight_decay: float = 0.1, decay: str = "decoupled", dropout: float = 0.0,
             widths: tuple[int, ...] = (8,), names: str = "", patience: int | None = None,
             hidden: float = 0.0, seed: int = 0, schedule: str = "constant") -> Pipeline:
    return Pipeline("own", partial(rows, names), Classification("ab"),
                    Training(weight_decay, decay=Decay(decay, schedule=schedule), patience=patience,
                             seed=seed),
                    gates=[], model=lambda train: (dropout, widths))

def constant(*, dropout: float = 0.0, rows: int = 3) -> Pipeline:
    return pipeline(weight_decay=0.5, dropout=dropout)

def entangled(*, weight_decay: float = 0.1) -> Pipeline:
    own = pipeline(weight_decay=weight_decay)
    return Pipeline("own", own.splits, own.task, own.training, gates=[], model=lambda train: weight_decay)

def opaque(*, weight_decay: float = 0.1, dropout: float = 0.0) -> Pipeline:
    own, held = pipeline(weight_decay=weight_decay), Opaque()
    return Pipeline("own", own.splits, own.task, own.training, gates=[], model=lambda train: (held, dropout))
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    file = tmp_path_factory.mktemp("grid") / "own.py"
    file.write_text(OWN)
    return str(file)


def read(locator, **words):
    return grid_of(read_asked(locator, words))


def shape(grid):
    """Each point as it is typed, with that of its control."""
    return [(point.words, grid.points[point.control].words) for point in grid.points]


def test_a_point_without_decay_that_was_listed_is_the_control_of_the_others(own):
    grid = read(own, weight_decay="0,0.3,3")
    assert shape(grid) == [
        ("weight_decay=0", "weight_decay=0"),
        ("weight_decay=0.3", "weight_decay=0"),
        ("weight_decay=3", "weight_decay=0"),
    ]
    assert all(point.listed for point in grid.points)


def test_a_control_that_nobody_listed_is_added_once(own):
    grid = read(own, weight_decay="0.3,3")
    assert [point.words for point in grid.points] == ["weight_decay=0.3", "weight_decay=3", "weight_decay=0"]
    assert [point.listed for point in grid.points] == [True, True, False]
    assert grid.points[2].given == {"weight_decay": 0.0}
    assert grid.is_control(2)


def test_every_combination_of_the_other_axes_has_a_control_of_its_own(own):
    grid = read(own, weight_decay="0,1", dropout="0,0.1", rows="0.5,1")
    controls = [number for number in range(len(grid.points)) if grid.is_control(number)]
    assert len(grid.points) == 8
    assert len(controls) == 4
    for point in grid.points:
        control = grid.points[point.control]
        assert {**point.values, "weight_decay": 0.0} == control.values
        assert point.rows == control.rows


def test_forms_and_stages_of_decay_share_one_control(own):
    for weight_decay in ("1,3", "0,1,3"):
        grid = read(own, weight_decay=weight_decay, decay="l2,decoupled,cautious", stage="all,early,late")
        controls = [number for number in range(len(grid.points)) if grid.is_control(number)]
        assert len(grid.points) == 2 * 3 * 3 + 1
        assert [grid.points[number].words for number in controls] == ["weight_decay=0"]
        assert {point.training.decay.form for point in grid.points} == {"l2", "decoupled", "cautious"}


def test_a_shared_control_is_called_without_what_its_points_differ_in(own):
    grid = read(own, weight_decay="1,3", decay="l2,cautious", dropout="0.1")
    (control,) = (point for number, point in enumerate(grid.points) if grid.is_control(number))
    assert control.given == {"dropout": 0.1, "weight_decay": 0.0}
    listed = read(own, weight_decay="0,3", decay="l2,cautious")
    assert listed.points[0].given == {"weight_decay": 0.0}


def test_an_early_stage_is_a_schedule_of_the_coefficient(own):
    grid = read(own, weight_decay="0,1", stage="all,early,late")
    schedules = [point.training.decay.schedule for point in grid.points if point.training.weight_decay]
    assert schedules == ["constant", "early", "late"]


@pytest.mark.parametrize(("schedule", "stage"), [("cosine", "all"), ("late", "late"), ("constant", "late")])
def test_a_stage_that_replaces_no_schedule_is_taken(own, schedule, stage):
    (point, control) = read(own, weight_decay="1", schedule=schedule, stage=stage).points
    assert point.training.decay.schedule == (schedule if stage == "all" else stage)
    assert control.training.weight_decay == 0


def test_a_single_seed_is_where_the_seeds_begin(own):
    grid = read(own, seed="7", seeds="3")
    assert [training.seed for training in grid.trainings(grid.points[0])] == [7, 8, 9]


def test_a_pipeline_whose_decay_is_no_argument_is_compared_with_the_decay_switched_off(own):
    grid = read(f"{own}:constant", dropout="0,0.1")
    assert shape(grid) == [
        ("dropout=0", "dropout=0 weight_decay=0"),
        ("dropout=0.1", "dropout=0.1 weight_decay=0"),
        ("dropout=0 weight_decay=0", "dropout=0 weight_decay=0"),
        ("dropout=0.1 weight_decay=0", "dropout=0.1 weight_decay=0"),
    ]
    assert [point.training.weight_decay for point in grid.points] == [0.5, 0.5, 0.0, 0.0]
    assert [point.without_decay for point in grid.points] == [False, False, True, True]


def test_where_more_than_the_decay_hangs_on_the_coefficient_it_is_switched_off_in_the_training_alone(own):
    grid = read(f"{own}:entangled", weight_decay="1")
    control = grid.points[grid.points[0].control]
    assert control.training.weight_decay == 0
    assert control.given == {"weight_decay": 1.0}
    assert control.parts == grid.points[0].parts


def test_parts_that_cannot_be_compared_are_others_for_any_other_argument(own):
    # A network that hangs on the coefficient in a way that cannot be told has itself as its control.
    grid = read(f"{own}:opaque", weight_decay="0,1", dropout="0,0.1")
    for point in grid.points:
        assert grid.points[point.control].parts == point.parts
        assert grid.points[point.control].training.weight_decay == 0


def test_a_decay_function_that_cannot_be_compared_hides_neither_stage_nor_seed():
    held = object()
    training = Training(0.1, Decay(lambda parameter, step: held and parameter))
    early = dataclasses.replace(training, decay=dataclasses.replace(training.decay, schedule="early"))
    names = {
        repr(training_form(each, {})) for each in (training, early, dataclasses.replace(training, seed=1))
    }
    assert len(names) == 3


def test_without_an_axis_there_is_one_point_and_its_control(own):
    assert shape(read(own)) == [("", "weight_decay=0"), ("weight_decay=0", "weight_decay=0")]


def test_seeds_count_up_from_the_pipelines_own():
    grid = read("pipelines.digits", weight_decay="0,1", seed="7", seeds="3")
    assert [member.seed for member in grid.trainings(grid.points[1])] == [7, 8, 9]
    assert [member.weight_decay for member in grid.trainings(grid.points[1])] == [1.0, 1.0, 1.0]


def test_values_given_twice_count_once(own):
    asked = read_asked(own, {"weight_decay": "1,1.0,1e0,2"})
    assert asked.axes[0].values == (1.0, 2.0)


def test_a_word_of_the_sweep_belongs_to_a_pipeline_that_takes_it(own):
    asked = read_asked(f"{own}:constant", {"rows": "3,4", "seeds": "2"})
    assert [(axis.name, axis.values) for axis in asked.axes] == [("rows", (3, 4))]
    assert asked.rows == 1.0
    assert {point.rows for point in grid_of(asked).points} == {1.0}


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("widths", "64,32", [(64, 32)]),
        ("widths", "64,32;128", [(64, 32), (128,)]),
        ("widths", [64, 32], [(64, 32)]),
        ("widths", [[64, 32], [128]], [(64, 32), (128,)]),
        ("names", "a,b", ["a", "b"]),
        ("names", '"a,b",c', ["a,b", "c"]),
        ("names", "", [""]),
        ("patience", "none,3", [None, 3]),
        ("dropout", [0, 0.1], [0.0, 0.1]),
        ("dropout", 0.1, [0.1]),
    ],
)
def test_values_are_read_by_the_type_of_their_argument(own, name, text, values):
    asked = read_asked(own, {name: text})
    found = [*asked.axes[0].values] if asked.axes else [asked.fixed[name]]
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"weigth_decay": "1"}, "has no argument weigth_decay; did you mean weight_decay"),
        ({"seed": "1,2"}, "seed is no axis, got 1,2: seeds=2 trains every point with as many seeds"),
        (
            {"form": "l2,cautious"},
            "it takes weight_decay, decay, dropout, widths, names, patience, hidden, seed, schedule, "
            "seeds, folds, rows, stage; only these can be axes",
        ),
        ({"sed": "1,2"}, "has no argument sed; did you mean seed"),
        (
            {"schedule": "cosine", "stage": "early"},
            "the point schedule=cosine cannot be trained: stage=early would replace the schedule "
            "'cosine' that the pipeline's decay follows",
        ),
        (
            {"schedule": "constant,late", "stage": "all,early"},
            "stage=early would replace the schedule 'late'",
        ),
        ({"weight_decay": ""}, "weight_decay names no value"),
        ({"weight_decay": []}, "weight_decay names no value"),
        ({"weight_decay": "1,,2"}, "weight_decay names no value, or an empty one between commas"),
        ({"weight_decay": "0,much"}, "weight_decay must be a number, got 'much'"),
        (
            {"weight_decay": "0,-1"},
            "the point weight_decay=-1 cannot be trained: weight_decay must be at least",
        ),
        ({"weight_decay": "nan"}, "the point weight_decay=nan cannot be trained"),
        (
            {"weight_decay": "1,5000"},
            "the point weight_decay=5000 cannot be trained: learning_rate x weight_decay",
        ),
        ({"decay": "l2,l3"}, "the point decay=l3 cannot be trained: decay must be one of"),
        ({"seeds": "0"}, "seeds must be a whole number of at least 1, got 0"),
        ({"seeds": "2,3"}, "seeds must be a whole number of at least 1, got 2,3"),
        ({"seeds": "few"}, "seeds must be a whole number, got 'few'"),
        ({"folds": "-2"}, "folds must be a whole number of at least 1, got -2"),
        ({"rows": "0.5,1.5"}, "rows must be shares of the train rows, above 0 and at most 1, got 1.5"),
        ({"stage": "middle"}, "stage must be 'all' or 'early' or 'late', got 'middle'"),
    ],
)
def test_what_makes_no_grid_is_one_sentence(own, words, said):
    with pytest.raises(PipelineError) as raised:
        grid_of(read_asked(own, words))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.floats(allow_nan=False) | st.integers() | st.booleans())
def test_a_value_as_text_is_read_as_the_same_value(value):
    assert convert("x", as_text(value), type(value)) == value


@given(st.lists(st.integers(), min_size=1).map(tuple))
def test_a_tuple_as_text_is_read_as_the_same_tuple(value):
    assert convert("x", as_text(value), tuple[int, ...]) == value


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=4),
    st.lists(st.floats(0, 0.9), min_size=1, max_size=3),
    st.integers(1, 9),
)
def test_any_grid_is_the_product_of_its_axes_with_a_control_for_each_point(own, decays, dropouts, seeds):
    grid = read(own, weight_decay=decays, dropout=dropouts, seeds=seeds)
    decays, dropouts = set(map(str, decays)), set(map(str, dropouts))
    off = {decay for decay in decays if float(decay) == 0}
    assert len(grid.points) == len(dropouts) * (len(decays - off) + 1)
    for point in grid.points:
        control = grid.points[point.control]
        assert control.training.weight_decay == 0
        assert control.parts == point.parts
    assert size_in_words(grid).startswith(f"{len(grid.points) * seeds:,} trainings")
