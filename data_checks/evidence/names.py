"""Do the names of the rows, or the order in which they stand, give the target away?"""

from __future__ import annotations

import numpy as np

from data_checks.evidence.columns import SAMPLE_ROWS, column_of, joined, pool
from data_checks.evidence.concordance import NEARLY, Reading, order_by, why_no_order
from data_checks.evidence.proxies import Proxy, best
from data_checks.evidence.table import Evidence, by_split
from data_checks.evidence.times import missing
from data_checks.splits import Array, Split, Splits


def measure(splits: Splits) -> Evidence:
    """`telling_names`: how many of the names and orders give the target away, of train's rows.

    The facts are a `Proxy` for each of them: the ids of all rows together, and the order of each split.
    """
    told = [proxy for proxy in (*_orders(splits), *_ids(splits)) if _tells(proxy.reading)]
    flags = by_split(splits, lambda name, split: len(told) * (name == "train"))
    return Evidence({"telling_names": flags}, tuple(told))


def why_not(splits: Splits) -> str:
    """Why names and order cannot be compared with the targets, or nothing."""
    return why_no_order(splits)


def _tells(reading: Reading) -> bool:
    return reading.share >= NEARLY and reading.surely > NEARLY


def _orders(splits: Splits) -> list[Proxy]:
    """How well the order of each split's rows is that of their targets; times and folders are no news."""
    parts = {name: s for name, s in splits.named().items() if not (_in_order_of_time(s) or _by_folder(s))}
    return [Proxy(f"the order of the {name} rows", "", order_of_rows(split)) for name, split in parts.items()]


def order_of_rows(split: Split) -> Reading:
    """How well the places of rows order them by their targets; of rows at even distances.

    Example:
        >>> order_of_rows(Split(np.zeros((100, 1)), np.arange(100) // 50)).share
        1.0
    """
    places = np.unique(np.linspace(0, len(split) - 1, min(len(split), SAMPLE_ROWS)).astype(int))
    # Values are ordered by their first 2,000 rows, which must not be the first of the file.
    mixed = np.random.default_rng(0).permutation(places)
    return order_by(mixed.astype(float), split.targets[mixed])


def _in_order_of_time(split: Split) -> bool:
    if split.times is None or len(split) < 2 or missing(split.times).any():
        return False
    return bool((split.times[1:] >= split.times[:-1]).all())


def _by_folder(split: Split) -> bool:
    """Whether the rows were read from a folder a class, one after the other, as `image_folder` does."""
    classes = split.attributes.get("class")
    if classes is None or split.ids.dtype.kind not in "SU":
        return False
    return bool((np.char.partition(split.ids.astype(str), "/")[:, 0] == classes).all())


def _ids(splits: Splits) -> list[Proxy]:
    if all(_rising(split.ids) for split in splits.named().values()):
        return []  # they say what the order says
    rows = pool(splits)
    values = joined([file_names(part.ids) for part in rows.parts.values()])[rows.order]
    return [best(column_of("the ids of the rows", values), rows)]


def file_names(ids: Array) -> Array:
    """Ids (N,) without the folders before the name of a file, which name its class, and without its ending.

    Example:
        >>> file_names(np.array(["cat/007.png", "dog/a.b/x1.jpg", "row 3"])).tolist()
        ['007', 'x1', 'row 3']
        >>> file_names(np.array([3, 4])).tolist()
        [3, 4]
    """
    if ids.dtype.kind not in "OSU":
        return ids
    texts = [text.decode(errors="replace") if isinstance(text, bytes) else str(text) for text in ids.tolist()]
    names = [text.rsplit("/", 1)[-1].rsplit(".", 1)[0] if "/" in text else text for text in texts]
    return np.array(names, dtype=object)


def _rising(ids: Array) -> bool:
    """Whether ids are numbers that rise from row to row."""
    numbers = ids if ids.dtype.kind in "iuf" else column_of("", file_names(ids)).numbers
    return numbers is not None and bool((numbers[1:] > numbers[:-1]).all())
