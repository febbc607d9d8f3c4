from wdgate.evaluation.lazy import Lazy


def test_a_number_is_computed_once_and_only_when_it_is_asked_for():
    calls = []
    numbers = Lazy({"one": lambda: calls.append("one") or 1.0, "two": lambda: calls.append("two") or 2.0})
    assert "two" in numbers
    assert "three" not in numbers
    assert len(numbers) == 2
    assert calls == []
    assert (numbers["two"], numbers.get("two"), numbers.get("three")) == (2.0, 2.0, None)
    assert calls == ["two"]
    assert dict(numbers) == {"one": 1.0, "two": 2.0} == numbers
    assert calls == ["two", "one"]
