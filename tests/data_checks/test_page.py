from html.parser import HTMLParser

import numpy as np

from data_checks.page import render_page
from data_checks.report import DataReport, Finding
from data_checks.splits import Split, Splits

PART = Split(np.eye(3), np.array([0, 1, 0]))


def report_of(*findings, left_out=()):
    return DataReport(findings, None, {"test": "abc"}, np.isin(np.arange(3), left_out))


class Balance(HTMLParser):
    """Fails where a tag is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        assert "src" not in dict(attrs)
        assert not dict(attrs).get("href", "").startswith("http")
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_page_is_whole_needs_nothing_from_elsewhere_and_says_what_matters():
    failed = Finding("DC110", "No copies", "failed", "1 test row <b>", ("<id>",), True, 1.0)
    blind = Finding("DC120", "No near copies", "passed", "None.", (), False, 0.4)
    page = render_page(report_of(failed, blind, left_out=[1]), Splits(PART, PART, PART, source="a & b"))
    parser = Balance()
    parser.feed(page)
    assert not parser.open
    assert "The data cannot be judged on" in page
    assert "&lt;id&gt;" in page
    assert "1 test row &lt;b&gt;" in page
    assert "a &amp; b" in page
    assert "yes, 100% of the planted rows" in page
    assert "not vouched for: 40%" in page
    assert "1 of the test rows are left out" in page


def test_a_long_list_of_rows_is_cut_and_says_so():
    finding = Finding("DC110", "No copies", "failed", "Many.", tuple(f"r{i}" for i in range(1000)))
    page = render_page(report_of(finding), Splits(PART, PART, PART))
    assert "1,000 test rows" in page
    assert "and 800 more" in page
    assert "r999" not in page


def test_a_report_that_passed_says_so():
    page = render_page(report_of(Finding("DC110", "t", "passed", "s")), Splits(PART, PART, PART))
    assert "The data can be judged on" in page
    assert "All test rows are judged on." in page


def test_what_stops_comes_first_and_what_was_not_asked_last():
    findings = [
        Finding("DC101", "first", "passed", "s"),
        Finding("DC102", "second", "not applicable", "s"),
        Finding("DC103", "third", "warned", "s"),
        Finding("DC104", "fourth", "failed", "s"),
    ]
    page = render_page(report_of(*findings), Splits(PART, PART, PART), "rows.html")
    assert sorted(("first", "second", "third", "fourth"), key=lambda title: page.index(f">{title}<")) == [
        "fourth",
        "third",
        "first",
        "second",
    ]
    assert "href='rows.html'" in page
