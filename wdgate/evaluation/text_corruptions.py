"""What happens to text and to tokens between those who write and a model that reads?

Text suffers what hands do to it: swapped and mistaken letters (Belinkov & Bisk 2018), dropped and doubled
ones, wrong case and lost spaces, as in nlpaug (Ma 2019) and TextFlint (Wang et al. 2021). One letter of a
word is hit, and a severity is a share of words: the fourth is about nlpaug's default of .3. Tokens are
hidden or swapped; no id is invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wdgate.evaluation.corruptions import Change, Corruption, Noise, Usual

Texts = NDArray[np.object_]
Tokens = NDArray[np.integer]
# A word, and a number from 0 to 1 that chooses the letter: the word as typed, None where it cannot be.
Slip = Callable[[str, float], str | None]

# Of the words, or of the gaps between them; one at least.
WORDS = (0.05, 0.1, 0.2, 0.35, 0.5)
# Of the tokens between the first and the last, which mark a beginning and an end; one at least.
TOKENS_HIT = (0.02, 0.05, 0.1, 0.2, 0.3)

_GAP = re.compile(r"(\s+)")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _beside() -> dict[str, str]:
    """The letters beside each one on a keyboard: in its row, and in the rows above and below."""
    at = {key: (row, place) for row, keys in enumerate(_KEYS) for place, key in enumerate(keys)}
    touching = ((0, -1), (0, 1), (-1, 0), (-1, 1), (1, -1), (1, 0))
    known = {place: key for key, place in at.items()}
    return {
        key: "".join(
            known[row + down, place + right]
            for down, right in touching
            if (row + down, place + right) in known
        )
        for key, (row, place) in at.items()
    }


BESIDE = _beside()


def swapped(word: str, chance: float) -> str | None:
    """Two neighbouring letters change places; the first and the last of a word stay (Belinkov & Bisk 2018).

    Example:
        >>> swapped("noise", 0.0), swapped("the", 0.5)
        ('niose', None)
    """
    if len(word) < 4:
        return None
    place = 1 + int(chance * (len(word) - 3))
    changed = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return changed if changed != word else None


def mistaken(word: str, chance: float) -> str | None:
    """A letter becomes one that lies beside it on the keyboard; digits and other alphabets have none.

    Example:
        >>> mistaken("noise", 0.0), mistaken("42", 0.5)
        ('boise', None)
    """
    places = [place for place, letter in enumerate(word) if letter.lower() in BESIDE]
    if not places:
        return None
    which, rest = divmod(chance * len(places), 1)
    place = places[int(which)]
    near = BESIDE[word[place].lower()]
    typed = near[int(rest * len(near))]
    return word[:place] + (typed.upper() if word[place].isupper() else typed) + word[place + 1 :]


def dropped(word: str, chance: float) -> str | None:
    """A letter is left out; a word of one stays.

    Example:
        >>> dropped("noise", 0.99), dropped("a", 0.5)
        ('nois', None)
    """
    place = int(chance * len(word))
    return word[:place] + word[place + 1 :] if len(word) > 1 else None


def doubled(word: str, chance: float) -> str | None:
    """A letter is typed twice.

    Example:
        >>> doubled("noise", 0.5)
        'noiise'
    """
    place = int(chance * len(word))
    return word[: place + 1] + word[place:]


def wrong_case(word: str, chance: float) -> str | None:
    """A word is all in capitals, or in small letters where it was so already.

    Example:
        >>> wrong_case("Noise", 0.5), wrong_case("USA", 0.5), wrong_case("42", 0.5)
        ('NOISE', 'usa', None)
    """
    changed = word.upper() if word != word.upper() else word.lower()
    return changed if changed != word else None


def lost_spaces(texts: Texts, usual: Usual, noise: Noise, severity: int) -> Texts:
    """Some words stand without a gap to the next one."""
    return _each(texts, noise, lambda text, chances: _without_gaps(text, chances, WORDS[severity - 1]))


def token_deletion(tokens: Tokens, usual: Usual, noise: Noise, severity: int) -> Tokens:
    """Some tokens between the first and the last are not attended to; their ids stay where they are.

    Args:
        tokens: ids and attention (n, 2, L).
        usual: unused.
        noise: numbers from 0 to 1 (n, L).
        severity: from 1 to 5.
    """
    changed = tokens.copy()
    for row, (inner, chances) in enumerate(_inner(tokens, noise)):
        changed[row, 1, _chosen(inner, chances, TOKENS_HIT[severity - 1])] = 0
    return changed


def token_swap(tokens: Tokens, usual: Usual, noise: Noise, severity: int) -> Tokens:
    """Some neighbouring tokens between the first and the last change places."""
    changed = tokens.copy()
    for row, (inner, chances) in enumerate(_inner(tokens, noise)):
        pairs = inner[: len(inner) // 2 * 2].reshape(-1, 2)
        left, right = pairs[_chosen(np.arange(len(pairs)), chances[pairs[:, 0]], TOKENS_HIT[severity - 1])].T
        changed[row, 0, left], changed[row, 0, right] = tokens[row, 0, right], tokens[row, 0, left]
    return changed


def _slips(slip: Slip) -> Change:
    def change(texts: Texts, usual: Usual, noise: Noise, severity: int) -> Texts:
        return _each(texts, noise, lambda text, chances: _typed(text, chances, WORDS[severity - 1], slip))

    return change


TEXTS = (
    *(
        Corruption(name, _slips(slip), "text")
        for name, slip in (
            ("swapped_letters", swapped),
            ("mistaken_letters", mistaken),
            ("dropped_letters", dropped),
            ("doubled_letters", doubled),
            ("wrong_case", wrong_case),
        )
    ),
    Corruption("lost_spaces", lost_spaces, "text"),
)
TOKENS = tuple(Corruption(f.__name__, f, "tokens") for f in (token_deletion, token_swap))


def _each(texts: Texts, noise: Noise, change: Callable[[str, NDArray[Any]], str]) -> Texts:
    """Every cell (n, C) that holds text, changed by its own numbers from 0 to 1 (words, 2)."""
    changed = texts.copy()
    for row, column in np.ndindex(texts.shape):
        cell: object = texts[row, column]
        if isinstance(cell, str):
            changed[row, column] = change(cell, noise.uniform[row, :, column])
    return changed


def _typed(text: str, chances: NDArray[Any], share: float, slip: Slip) -> str:
    """The text with as many words mistyped as the share says, of those that can be."""
    parts = _GAP.split(text)
    words = [place for place in range(0, len(parts), 2) if parts[place]]
    left = max(1, round(share * len(words)))
    for word in chances[: len(words), 0].argsort(kind="stable"):
        place = words[word]
        typed = slip(parts[place], float(chances[word, 1]))
        if typed is not None:
            parts[place], left = typed, left - 1
        if not left:
            break
    return "".join(parts)


def _without_gaps(text: str, chances: NDArray[Any], share: float) -> str:
    parts = _GAP.split(text)
    # A gap before the first word, or after the last, separates nothing.
    gaps = [place for place in range(1, len(parts), 2) if parts[place - 1] and parts[place + 1]]
    for gap in _chosen(np.array(gaps, np.intp), chances[: len(gaps), 0], share):
        parts[gap] = ""
    return "".join(parts)


def _inner(tokens: Tokens, noise: Noise) -> list[tuple[NDArray[np.intp], NDArray[Any]]]:
    """Of each row the places of attended tokens without the first and the last, and its numbers (L,)."""
    rows = zip(tokens[:, 1], noise.uniform, strict=True)
    return [(np.flatnonzero(attention)[1:-1], chances) for attention, chances in rows]


def _chosen(places: NDArray[np.intp], chances: NDArray[Any], share: float) -> NDArray[np.intp]:
    """Of some places as many as the share says, one at least, and the same and more at a larger share."""
    own = chances if len(chances) == len(places) else chances[places]
    return places[own.argsort(kind="stable")[: max(1, round(share * len(places)))]]
