"""How is everything of a model kept from being served, until somebody says that it may be again?"""

import pytest

from data_checks.errors import RegistryError
from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least
from wdgate.promotion import promote
from wdgate.quarantine import free, quarantine
from wdgate.serving import load_champion, verify


def test_nothing_is_served_in_quarantine_and_the_reason_is_told(champion):
    quarantine(champion, "complaints from site B")
    with pytest.raises(RegistryError, match=r"quarantine since .* by tester: complaints from site B"):
        load_champion(champion.name, registry=champion)
    assert [item.name for item in verify(champion) if not item.ok] == ["quarantine"]


def test_what_was_freed_is_served_again(champion):
    quarantine(champion, "complaints")
    free(champion, "the scanner was to blame")
    assert load_champion(champion.name, registry=champion).version == 1
    kinds = [entry.kind for entry in champion.ledger.entries()]
    assert kinds[-2:] == ["quarantined", "freed"]


def test_the_first_reason_stands(champion):
    first = quarantine(champion, "first")
    assert quarantine(champion, "second") == first


@pytest.mark.parametrize("act", [quarantine, free])
def test_a_reason_is_needed(champion, act):
    with pytest.raises(RegistryError, match="reason"):
        act(champion, "  ")


def test_what_is_not_in_quarantine_cannot_be_freed(champion):
    with pytest.raises(RegistryError, match="not in quarantine"):
        free(champion, "a reason")


def test_a_model_that_was_promoted_meanwhile_is_not_served_either(champion, rows, reported, onnx_file):
    quarantine(champion, "complaints")
    splits = rows()
    task, gates = Classification(("left", "right")), [at_least("accuracy", 0.9)]
    common = {"name": champion.name, "run_id": "run", "alpha": 0.05, "looks": 5, "evidence": {}}
    again = promote(onnx_file(1.5), splits, task, gates, reported(splits), registry=champion, **common)
    assert again.outcome == "promoted"
    with pytest.raises(RegistryError, match="quarantine"):
        load_champion(champion.name, registry=champion)
