"""What a person wrote in the column "vaccine", read as a product of a programme."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from services.personnel.rules.programmes import Product, Programme

LONGEST_TEXT = 200  # characters; whoever writes more did not write a product
LIKE_ENOUGH = 0.5  # of two short names, half the characters in order: one wrong character in a name of two
SUGGESTIONS_COUNT = 5


def normalised(text: str) -> str:
    """Full width becomes half width, capitals small; spaces, brackets and marks go: only letters and digits are left."""
    return "".join(mark for mark in unicodedata.normalize("NFKC", text).casefold() if mark.isalnum())


@dataclass(frozen=True)
class _Vocabulary:
    """The words of a programme: what each leaves possible, which of them name a product, and the scanner that finds them."""

    leaves: Mapping[str, frozenset[str]]
    naming: Mapping[str, str]
    scanner: re.Pattern[str]
    whole: Mapping[frozenset[str], str]  # a product with all its kinds -> that product


@lru_cache(maxsize=16)
def _vocabulary(programme: Programme) -> _Vocabulary:
    parents = {product.code: product.within for product in programme.products}

    def is_kind_of(code: str | None, other: str) -> bool:
        while code is not None and code != other:
            code = parents[code]
        return code is not None

    kinds = {code: frozenset(other for other in parents if is_kind_of(other, code)) for code in parents}
    leaves = {normalised(word): frozenset(codes) for word, codes in programme.words.items()}
    naming: dict[str, str] = {}
    for product in programme.products:
        for word in (product.code, *product.names.values(), *product.maker.values(), *product.aliases):
            if short := normalised(word):
                naming[short] = product.code
                leaves[short] = kinds[product.code]
    longest_first = sorted(leaves, key=lambda word: (-len(word), word))
    return _Vocabulary(leaves, naming, re.compile("|".join(map(re.escape, longest_first))), {kinds[code]: code for code in kinds})


def _read(text: str, words: _Vocabulary) -> tuple[frozenset[str] | None, bool, bool]:
    """Which products the words of the text leave possible (None: it has no word that says anything), whether one of them
    names a product, and whether nothing else stands in the text."""
    possible: frozenset[str] | None = None
    named = False
    for word in words.scanner.findall(text):
        if codes := words.leaves[word]:
            possible = codes if possible is None else possible & codes
            named = named or word in words.naming
    return possible, named, not words.scanner.sub("", text)


@lru_cache(maxsize=4096)  # 50,000 rows hold a few dozen ways to write it
def recognise(text: str, programme: Programme) -> Product | None:
    """The product the text names: as exact as the text is, and None when it names none, several, or things that contradict each other.

    Every part of the text has to be a known word; what is not understood is never guessed.
    """
    if len(text) > LONGEST_TEXT:
        return None
    words = _vocabulary(programme)
    possible, named, understood = _read(normalised(text), words)
    if not (possible and named and understood):
        return None
    code = next(iter(possible)) if len(possible) == 1 else words.whole.get(possible)
    return programme.product_by_code[code] if code else None


@lru_cache(maxsize=4096)
def _suggested(text: str, programme: Programme) -> tuple[Product, ...]:
    words = _vocabulary(programme)
    short = normalised(text)[:LONGEST_TEXT]
    possible, _, _ = _read(short, words)
    likeness: dict[str, float] = {}
    if possible:
        whole = words.whole.get(possible)
        likeness = dict.fromkeys((whole,) if whole else possible, 2.0)  # understood in part goes before likeness of letters
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(short)
    for word, code in words.naming.items():
        matcher.set_seq1(word)
        if matcher.real_quick_ratio() >= LIKE_ENOUGH and (ratio := matcher.ratio()) >= LIKE_ENOUGH:
            likeness[code] = max(likeness.get(code, 0.0), ratio)
    order = {product.code: place for place, product in enumerate(programme.products)}
    best = sorted(likeness, key=lambda code: (-likeness[code], order[code]))
    return tuple(programme.product_by_code[code] for code in best[:SUGGESTIONS_COUNT])


def suggestions(text: str, programme: Programme) -> list[Product]:
    """The products somebody who wrote this may have meant, the likeliest first, at most five; none when the text says nothing ("疫苗")."""
    words = _vocabulary(programme)
    short = normalised(text)
    if not short or (not words.scanner.sub("", short) and _read(short, words)[0] is None):
        return []
    return list(_suggested(text, programme))
