import re
from pathlib import Path

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
