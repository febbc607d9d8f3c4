"""Do two cells, or two names of a unit, say the same in another spelling?"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from data_checks.splits import Array

MISSING = ""
# Texts of so many words are told apart by their letters and digits alone ...
_PROSE_WORDS = 3
# ... and from so many words on, not even `1.5` from `15`, by which no two honest texts of that length differ.
_LONG_WORDS = 20

_MISSING_WORDS = {"", "na", "n/a", "nan", "-nan", "nat", "null", "none", "<na>", "#n/a", "#na", "nil"}
# Before NFKC, which would turn an acute accent that stands for an apostrophe into a blank and an accent.
_TYPEWRITER = {
    **dict.fromkeys("‘’‚‛′`´ʼ", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
}
# Not `str.translate`, which looks at text that is not ASCII sign by sign.
_TYPOGRAPHIC = re.compile(f"[{''.join(_TYPEWRITER)}]")
# Signs that format (Cf of Unicode 14), variants of the sign before, and halves of a surrogate pair, which
# cannot be written out and would stop whoever hashes the text.
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\U000110bd\U000110cd\U00013430-\U00013438\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f]"
)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,3})?")
# Of one group, as in 1,000, the comma may be a decimal one.
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}((,[0-9]{3}){2,}(\.[0-9]*)?|,[0-9]{3}\.[0-9]*)")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[t ]([0-9]{2}:[0-9]{2})(:[0-9]{2}(\.[0-9]+)?)?")
# In short texts 1.5 is not 15, -5 is not 5, and x < y is not x > y.
_SHORT_GAPS = re.compile(
    r"(?P<kept>(?<=\d)[^\w\s](?=\d)|(?<=\d) [-+*/<=>%^] (?=\d)|(?<!\w)-(?=\d)|(?<=\w) [<=>+] (?=\w)"
    r"|(?<=\b\w) ?[-*/%^+<=>] ?(?=\w\b))|(?P<apart>(?<=\d)(?:[\W_](?!-\d))+(?=\d))|(?:[\W_](?!-\d))+|[\W_]"
)
_GAPS = re.compile(r"[\W_]+")
_ASCII_GAPS = {code: None for code in range(128) if not chr(code).isalnum()}

# Not a dot or slash between digits, for 1/2 is not 1-2, nor a dot before a zero that counts, as of x.01.
_ID_SEPARATORS = re.compile(
    r"(?P<kept>(?<=\d)[./](?=\d)|\.(?=0\d))|(?<=\w)(?:[\s\-_/\\:]|\.(?!0\d)|, )+(?=[^\W_])"
)
_ID_NUMBER = re.compile(r"(-?)0*([0-9]+?)(?:\.0+|(\.[0-9]+))?")
_ID_TOKEN = re.compile(r"([^\W\d_]*)0*(\d+)")


def canonical(values: Array) -> Array:
    """The cells (N,) as text, an object array (N,), that does not tell spellings apart.

    Unicode forms, typographic signs and invisible ones, case, blanks, numbers as text, moments as text and
    the many words for nothing (which become an empty text) are undone; in texts of three or more words also
    punctuation, unless it stands between digits. True and 1 stay apart.

    Args:
        values: cells of any type, also mixed.

    Example:
        >>> canonical(np.array([" Caf\u00e9", "cafe\u0301", 1, "1.0", "1e0", None, "N/A"], object)).tolist()
        ['caf\u00e9', 'caf\u00e9', '1', '1', '1', '', '']
        >>> canonical(np.array(["Well, I said so!", "well I said so"])).tolist()
        ['wellisaidso', 'wellisaidso']
    """
    return _by_unique(values, spell_cell)


def canonical_ids(values: Array) -> Array:
    """Names of units (N,) as text, an object array (N,), that does not tell spellings apart.

    Separators, case, leading zeros, Unicode forms and decimals without a value are undone. Digits that stand
    apart stay apart, so that 1-23 is not 12-3, and zeros inside of letters stay, as in a hash. What may truly
    differ stays apart, too: 1/2 and 1-2, x.01 and x.1. What is missing becomes an empty text; the text NA,
    which is Namibia's code, is a name.

    Example:
        >>> canonical_ids(np.array(["Patient-007", "patient 7", "PATIENT_007", "patient 70"])).tolist()
        ['patient 7', 'patient 7', 'patient 7', 'patient 70']
        >>> canonical_ids(np.array([7.0, 8.5])).tolist()
        ['7', '8.5']
    """
    import pandas as pd

    spelt = _by_unique(values, spell_id)
    spelt[pd.isna(np.asarray(values))] = MISSING
    return spelt


def _by_unique(values: Array, spell: Callable[[str], str]) -> Array:
    """Each value (N,) spelt, a value that comes often only once."""
    import pandas as pd

    codes, unique = pd.factorize(np.array(_texts(np.asarray(values)), dtype=object))
    spelt = np.empty(len(unique), dtype=object)
    spelt[:] = [spell(text) for text in unique]
    return np.asarray(spelt[codes])


def _texts(values: Array) -> list[str]:
    if values.dtype.kind not in "OSU" and values.dtype != np.float64:
        # Not `tolist`: of 32 bits, 0.1 is written 0.1, and as a float 0.10000000149.
        return list(values.astype(str).tolist())
    return [value if type(value) is str else _text(value) for value in values.tolist()]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return str(int(value))
    return str(value)


def plain(text: str) -> str:
    """The text in one Unicode form, lower case, with single blanks.

    Example:
        >>> plain("  ＳＩＴＥ\u00adA \u201cx\u201d ")
        'sitea "x"'
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _typewritten(text)))
        # Folding case may take a text out of its form (Unicode Standard, 3.13, NFKC_Casefold).
        text = _typewritten(unicodedata.normalize("NFKC", text.casefold()))
    return " ".join(text.replace("`", "'").replace("\0", "").casefold().split())


def _typewritten(text: str) -> str:
    return _TYPOGRAPHIC.sub(lambda sign: _TYPEWRITER[sign.group()], text)


def spell_cell(text: str) -> str:
    """One cell in the spelling of `canonical`."""
    text = plain(text)
    if text in _MISSING_WORDS:
        return MISSING
    if text[0] in "+-.0123456789" and len(text) < 64:
        return _spell_number(text)
    return _spell_prose(text)


def _spell_number(text: str) -> str:
    """A number or a moment in one spelling; any other text as prose."""
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    if text.lstrip("+-").isdecimal() and text.lstrip("+-").isascii():
        # Not by way of a float, which has no more than 53 bits.
        return str(int(text)) if text.count("-") + text.count("+") < 2 else text
    if _NUMBER.fullmatch(text) and abs(float(text)) < np.inf:
        number = float(text)
        return str(int(number)) if number.is_integer() and abs(number) < 2**63 else repr(number)
    moment = _MOMENT.fullmatch(text)
    return _spell_prose(text) if moment is None else _spell_moment(*moment.groups()[:3])


def _spell_moment(day: str, minute: str, second: str | None) -> str:
    """Without the letter T, and without zeros that say nothing."""
    exact = (second or ":00").rstrip("0").rstrip(".") if "." in (second or "") else (second or ":00")
    return day if (minute, exact) == ("00:00", ":00") else f"{day} {minute}{exact}"


def _spell_prose(text: str) -> str:
    words = (text.translate(_ASCII_MARKS) if text.isascii() else _GAPS.sub(_word_gap, text)).split()
    if len(words) < _PROSE_WORDS:
        return text
    if len(words) < _LONG_WORDS:
        return _SHORT_GAPS.sub(_short_gap, text)
    return text.translate(_ASCII_GAPS) if text.isascii() else _GAPS.sub(_gap, text)


_ASCII_MARKS = {code: None for code in _ASCII_GAPS if not chr(code).isspace()}


def _gap(found: re.Match[str]) -> str:
    """What of signs between letters tells texts apart: accents, and pictures such as smileys."""
    signs = found.group()
    if signs.isascii():
        return ""
    return "".join(s for s in signs if unicodedata.category(s)[0] == "M" or unicodedata.category(s) == "So")


def _word_gap(found: re.Match[str]) -> str:
    return _gap(found) + (" " if " " in found.group() else "")


def _short_gap(found: re.Match[str]) -> str:
    return found["kept"] or (found["apart"] and " ") or _gap(found)


def spell_id(text: str) -> str:
    """One name in the spelling of `canonical_ids`; an empty one is `MISSING`."""
    name = plain(text)
    number = _ID_NUMBER.fullmatch(name)
    if number:
        sign, whole, decimals = number.groups()
        return f"{sign}{whole}{decimals or ''}"
    name = name[1:] if re.match(r"#\d", name) else name
    apart = _ID_SEPARATORS.sub(lambda found: found["kept"] or " ", name)
    return " ".join(_spell_token(token) for token in apart.split(" "))


def _spell_token(token: str) -> str:
    """`p007` as `p 7`; a zero of `a01b1` stays, for `a1b01` is another one, and one behind a dot."""
    pieces = re.split(r"([./])", token)
    return "".join(
        piece if before == "." else _spell_piece(piece)
        for before, piece in zip(["", *pieces], pieces, strict=False)
    )


def _spell_piece(piece: str) -> str:
    parts = _ID_TOKEN.fullmatch(piece)
    return piece if parts is None else " ".join(filter(None, parts.groups()))
