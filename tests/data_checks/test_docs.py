import re
from pathlib import Path

import numpy as np

from data_checks.default_checks import default_checks
from data_checks.splits import Split, Splits

PAGE = Path(__file__).parents[2] / "docs" / "checks.md"


def test_every_check_is_documented_with_an_example_and_nothing_else_is():
    sections = dict(re.findall(r"^### (\w+) (.*?)(?=^###? |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert set(sections) == {check.code for check in default_checks()}
    for check in default_checks():
        section = sections[check.code]
        assert section.startswith(f"· {check.title}\n"), check.code
        assert check.question in section, check.code
        assert "> " in section, f"{check.code} has no example"
        assert ("Warns" if check.severity == "warn" or check.tolerated else "Fails") in section, check.code


def test_the_examples_run():
    rng = np.random.default_rng(0)
    age, dose = rng.integers(18, 90, 300), rng.normal(size=300)
    whole = Split({"age": age, "dose": dose}, np.arange(300) % 2)
    splits = Splits(*[whole.take(np.arange(start, 300, 3)) for start in range(3)])
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        names = {"splits": splits}
        exec(example, names)
        assert names["report"].passed, names["report"].sentence
    assert names["report"].findings[-1].code == "OWN001"
