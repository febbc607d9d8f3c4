import re
from pathlib import Path

import pytest

from wdgate.evaluation.labels import Labels
from wdgate.evaluation.quantiles import Quantiles
from wdgate.evaluation.tasks import Classification, Regression

ROOT = Path(__file__).parents[3]
CODES = {
    code
    for source in [*(ROOT / "wdgate" / "gates").glob("*.py"), ROOT / "wdgate" / "judging.py"]
    for code in re.findall(r"\bWD2\d\d\b", source.read_text(encoding="utf-8"))
}


def sections():
    """The text under each heading of the page, by the code that the heading begins with."""
    page = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (WD\d{3})\b.*$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_code_is_documented_with_an_example_and_no_other():
    found = sections()
    assert len(CODES) >= 9
    assert set(found) == CODES
    assert [code for code, text in found.items() if "```" not in text] == []


@pytest.mark.parametrize(
    "task", [Classification(("no", "yes")), Regression(), Quantiles((0.1, 0.9)), Labels(("no", "yes"))]
)
def test_every_name_that_a_gate_can_name_stands_in_the_table(task):
    page = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
    table = page.partition("**What can be named.**")[2].partition("Recall and precision")[0]
    named = {name.partition("/")[0] + "/CLASS" * ("/" in name) for name in task.higher_is_better}
    assert [name for name in named if f"`{name}`" not in table] == []
