import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from data_checks.errors import ModelError
from data_checks.splits import Split
from wdgate.evaluation.evaluation import evaluate
from wdgate.evaluation.out_of_distribution import OOD, Permuted, apart, permuted_confidence
from wdgate.evaluation.tasks import Classification

TASK = Classification(("left", "right"))
GENERATOR = np.random.default_rng(0)


class Seen:
    """A model that keeps what it was shown, and is as sure as the first two cells agree."""

    def __init__(self):
        self.batches = []

    def predict(self, inputs):
        self.batches.append(inputs)
        cells = inputs.reshape(len(inputs), -1)
        sure = 1 / (1 + np.exp(-3 * cells[:, 0] * cells[:, 1]))
        return {"probs": np.stack([sure, 1 - sure], axis=1), "predicted": np.zeros(len(cells), int)}


def alike(rows=600, **more):
    """Rows of two cells that are nearly the same."""
    first = GENERATOR.normal(size=rows)
    return Split(np.stack([first, first + 0.1 * GENERATOR.normal(size=rows)], 1), np.zeros(rows, int), **more)


def test_rows_are_made_that_have_the_cells_of_the_others_and_go_together_as_none_of_them():
    split, model = alike(1500), Seen()
    made = permuted_confidence(model, split)
    shown = np.concatenate(model.batches)
    assert len(made.confidence) == len(shown) == 1500
    assert sorted(made.positions) == list(range(1500))
    assert np.array_equal(np.sort(shown, axis=0), np.sort(split.inputs, axis=0))
    assert abs(np.corrcoef(shown.T)[0, 1]) < 0.1 < 0.9 < np.corrcoef(split.inputs.T)[0, 1]


def test_what_is_made_depends_on_the_rows_and_not_on_their_order():
    split, one, other = alike(700), Seen(), Seen()
    order = np.random.default_rng(1).permutation(700)
    permuted_confidence(one, split)
    permuted_confidence(other, split.take(order))
    assert all(np.array_equal(a, b) for a, b in zip(one.batches, other.batches, strict=True))


@pytest.mark.parametrize(
    "inputs",
    [
        {"size": np.arange(20.0), "kind": np.array(["a", "b"] * 10), "on": np.arange(20) % 2},
        {"picture": np.arange(20 * 12.0).reshape(20, 3, 4)},
    ],
)
def test_cells_stay_in_their_columns_and_keep_their_types(inputs):
    class Columns(Seen):
        def predict(self, batch):
            self.batches.append(batch)
            return {"probs": np.full((20, 2), 0.5)}

    model = Columns()
    permuted_confidence(model, Split(inputs, np.zeros(20, int)))
    for name, values in inputs.items():
        shown = model.batches[0][name]
        assert (shown.dtype, shown.shape) == (values.dtype, values.shape)
        assert np.array_equal(np.sort(shown, axis=0), np.sort(values, axis=0))


@pytest.mark.parametrize(
    "inputs",
    [
        np.arange(30.0)[:, None],
        np.array([f"one text {i}" for i in range(30)], object),
        {
            "input_ids": np.arange(120).reshape(30, 4),
            "attention_mask": np.ones((30, 4), int),
        },
    ],
)
def test_rows_of_one_cell_and_tokens_are_not_mixed(inputs):
    assert permuted_confidence(Seen(), Split(inputs, np.zeros(30, int))) is None


def test_a_model_that_refuses_such_rows_or_gives_no_probabilities_was_not_measured():
    class Refuses:
        def predict(self, inputs):
            raise ModelError("no such rows")

    class Silent:
        def predict(self, inputs):
            return {"predicted": np.zeros(len(inputs), int)}

    class Broken:
        def predict(self, inputs):
            return {"probs": np.full((len(inputs), 2), np.nan)}

    assert all(permuted_confidence(model(), alike(30)) is None for model in (Refuses, Silent, Broken))
    assert permuted_confidence(Seen(), alike(1)) is None


def test_the_area_is_that_of_scikit_learn(classifier):
    file = classifier(np.array([[-1.0, 2.0], [0.5, -1.0]]))
    groups, weights = np.arange(300) // 3, GENERATOR.random(300)
    rows = GENERATOR.normal(size=(300, 2)).astype(np.float32)
    split = Split(rows, np.zeros(300, int), groups=groups, weights=weights)
    far = Split(rows[:100] * 0.1, np.zeros(100, int))
    found = evaluate(file, split, TASK, also={"far": far})
    test, other = (one.predictions["probs"].max(axis=1) for one in (found, found.also["far"]))
    for name, sure, mass in (
        (OOD, found.permuted.confidence, weights[found.permuted.positions]),
        ("ood_auroc/far", other, np.ones(100)),
    ):
        is_test = np.arange(300 + len(sure)) < 300
        expected = roc_auc_score(
            is_test, np.concatenate([test, sure]), sample_weight=np.concatenate([weights, mass])
        )
        assert apart(name, found).ranking.value == pytest.approx(expected)
    assert found.also["far"].permuted is None
    assert apart("ood_auroc/near", found) is None
    units = apart("ood_auroc/far", found).groups
    assert len(np.unique(units)) == 200
    assert not set(units[:300]) & set(units[300:])


def test_of_some_rows_those_are_kept_that_stand_in_their_place():
    made = Permuted(np.array([0.7, 0.5, 0.9]), np.array([4, 0, 2]))
    some = made.of(np.array([2, 4]))
    assert some.confidence.tolist() == [0.7, 0.9]
    assert some.positions.tolist() == [1, 0]
