"""Which train picture is a test picture again?

Candidates are found generously (`picture_search`) and verified strictly (`picture_fit`): after the best fit,
what is left must be small in itself, and small beside what is left of the next best train picture. Neither
alone tells a changed picture from an honest one: plain shirts fit each other to a few grey levels, and the
nearest of pictures that are far away is often much nearer than the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data_checks.evidence.picture_fit import Floats, Misfit, curved, free, nudged, outside_a_square
from data_checks.evidence.picture_search import (
    CANDIDATES,
    Described,
    Directions,
    fit_directions,
    in_blocks,
    nearest,
)
from data_checks.evidence.picture_views import VIEWS, Levels, View, halves, see, window

# What may be left, in grey levels and in spreads of the picture itself, times its ratio to what is left of
# the next best picture. On Fashion-MNIST the honest test rows begin at 1.3 grey levels; below are pictures
# that were retouched, and those that were changed. Flat patches of photographs fit each other to a grey
# level, and begin at .06 spreads.
LEFT = 1.0
_SPREADS = 0.05
# For a closer look at a row: grey levels that may be left of the candidates that look most like it.
_NEAR = 8.0
# Of the picture's own variance; above, there is no telling what was fitted.
_SHARE = 0.05
# To what is left of the next best, or of the tenth best, which is no other copy of the same picture: where
# others fit alike, none of them is the one that was changed.
_NEXT, _TENTH = 0.6, 0.15
_LOOKS, _GLANCES = 3, 2
# What rounding to grey levels leaves (grey levels squared), so that no ratio is taken of nothing.
_ROUNDING = 0.02

Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Album:
    """Train pictures, each content once, in the order of their keys.

    Args:
        levels: thumbnails (n, h, w).
        regions: what the middle of them, and each half of it, is described by.
        described: the descriptions, region by region.
    """

    levels: Levels
    regions: tuple[Directions, ...]
    described: tuple[Described, ...]


def as_album(levels: Levels) -> Album:
    """Pictures (n, h, w), described."""
    size = (levels.shape[1], levels.shape[2])
    regions = tuple(fit_directions(levels, region) for region in (window(size), *halves(size)))
    return Album(levels, regions, tuple(in_blocks(region.describe(levels)) for region in regions))


@dataclass(frozen=True)
class Search:
    """A way of looking for changed pictures.

    Args:
        looks: a region and a view each.
        misfit: how badly train pictures fit test pictures, pair by pair.
    """

    looks: tuple[tuple[int, View], ...]
    misfit: Callable[[Levels, Levels], Misfit]


MOVED = Search(tuple((0, view) for view in VIEWS if view.exact), curved)
TURNED = Search(tuple((0, view) for view in VIEWS if not view.exact), free)
# Of large pictures, a shift by a pixel is one by a part of a thumbnail's.
NUDGED = Search(((0, View()),), nudged)
# At least one half is free of a small mark, unless it sits right in the middle.
MARKED = Search(tuple((region, View()) for region in (1, 2, 3, 4)), outside_a_square)


@dataclass(frozen=True, eq=False)
class Matches:
    """The train picture that fits best, of the rows that were looked at closely.

    Args:
        rows: which test pictures (n,).
        twins: places in the album (n,).
        views: how they were seen (n,), as places in `VIEWS`.
        scores: what is left times its ratio to the next best (n,), in grey levels or twentieths of a spread,
            whichever is more; infinite where the fit says nothing.
    """

    rows: Ints
    twins: Ints
    views: Ints
    scores: Floats


def match(album: Album, pictures: Levels, search: Search) -> Matches:
    """The best fits of pictures (n, h, w) among the train pictures."""
    looks, places = _candidates(album, pictures, search)
    glance = _fit(album, pictures, search, looks, places[:, :, :_GLANCES])
    worth = (glance.levels <= _NEAR) & (glance.share <= _SHARE)
    rows = np.flatnonzero(worth.any((1, 2)))
    looks, places = looks[rows], places[rows]
    return _best(search, rows, looks, places, _fit(album, pictures[rows], search, looks, places))


def _candidates(album: Album, pictures: Levels, search: Search) -> tuple[Ints, Ints]:
    """The looks at each picture (n, L) that bring it nearest to train, and what is there (n, L, 10)."""
    shape = (len(pictures), len(search.looks), CANDIDATES)
    distances, places = np.empty(shape[:2], np.float32), np.empty(shape, np.int32)
    for nth, (region, view) in enumerate(search.looks):
        # Grey levels that were inverted are those of a picture on the other side of the mean.
        sign = -1 if view.inverted else 1
        described = sign * album.regions[region].describe(see(pictures, view))
        squared, places[:, nth] = nearest(album.described[region], described)
        distances[:, nth] = squared[:, 0]
    looks = np.argsort(distances, axis=1, kind="stable")[:, :_LOOKS]
    return looks, np.take_along_axis(places, looks[:, :, None], 1).astype(np.intp)


def _fit(album: Album, pictures: Levels, search: Search, looks: Ints, places: Ints) -> Misfit:
    """The misfit of each picture and each of its candidates (n, L, c)."""
    levels, share = np.full(places.shape, np.inf), np.full(places.shape, np.inf)
    for nth in np.unique(looks):
        row, look = np.nonzero(looks == nth)
        twins = places[row, look]
        seen = np.repeat(see(pictures[row], search.looks[nth][1]), twins.shape[1], axis=0)
        fitted = search.misfit(seen, album.levels[twins.reshape(-1)])
        levels[row, look] = fitted.levels.reshape(twins.shape)
        share[row, look] = fitted.share.reshape(twins.shape)
    return Misfit(levels, share)


def _best(search: Search, rows: Ints, looks: Ints, places: Ints, fitted: Misfit) -> Matches:
    n, at = len(rows), np.arange(len(rows))
    every = (n, places.shape[1] * places.shape[2])
    left, twins = fitted.levels.reshape(every), places.reshape(every)
    # By what is left, then by the train picture's key, in whose order the album is.
    best = np.lexsort((twins, left))[:, 0]
    others = np.where(twins == twins[at, best][:, None], np.inf, left).min(1, initial=np.inf)
    look = best // CANDIDATES
    tenth = fitted.levels[at, look].max(1, initial=0)
    least = left[at, best]
    share = fitted.share.reshape(every)[at, best]
    alone = (_ratio(least, others) <= _NEXT) | (_ratio(least, tenth) <= _TENTH)
    known = (share <= _SHARE) & alone
    views = np.array([VIEWS.index(view) for _, view in search.looks])
    scores = np.where(
        known, np.maximum(least, np.sqrt(share) * (LEFT / _SPREADS)) * _ratio(least, others), np.inf
    )
    return Matches(rows, twins[at, best], views[looks[at, look]], scores)


def _ratio(left: Floats, other: Floats) -> Floats:
    return np.asarray(np.sqrt((left**2 + _ROUNDING) / (other**2 + _ROUNDING)))
