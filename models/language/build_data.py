#!/usr/bin/python3
"""Gathers short texts in 38 languages from Debian packages.

Sources: translated message catalogues (.mo), manual pages, help pages and, for a test of
another genre, fortunes and Debian's documents.  What is kept is cleaned, freed of
duplicates and split by package family into train, dev and test; "genre" is a fourth part
whose kinds of text are never trained on.

The texts carry the licences of their packages.  They stay in the work folder.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import html
import pickle
import random
import re
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "training"))
from debian_packages import fetch, package_files, read_package_list, split_of, write_atomically
from overlap import shares_run

LABELS = (HERE / "labels.txt").read_text(encoding="utf-8").split()

# Large families of general vocabulary are worth more in training than in a test, and
# families with a genre of their own make the "genre" part.
FIXED_SPLIT = {
    "manpages-gnu": "train",
    "gnome-desktop": "train",
    "libreoffice": "train",
    "wesnoth-1.16-data": "train",
    "fortunes": "genre",
    "debian-documents": "genre",
}
SPLITS = ("genre", "test", "dev", "train")  # a text found in several stays in the first

LOCALES = {label: label for label in LABELS} | {
    **dict.fromkeys(("pt_BR", "pt_PT", "pt_br", "br_pt"), "pt"),
    **dict.fromkeys(("zh_CN", "zh_TW", "zh_HK", "zh_Hans", "zh_Hant", "zh_cn"), "zh"),
    **{"no": "nb", "fa_IR": "fa", "bg_BG": "bg", "de_DE": "de", "es_ES": "es", "id_ID": "id"},
    **{"fr_FR": "fr", "it_IT": "it", "hu_HU": "hu", "pl_PL": "pl", "ru_RU": "ru", "tr_TR": "tr"},
    **{"ko_KR": "ko", "ja_JP": "ja", "he_IL": "he", "sk_SK": "sk", "sl_SI": "sl", "nl_NL": "nl"},
    **{"sv_SE": "sv", "nb_NO": "nb", "da_DK": "da", "hi_IN": "hi", "ro_RO": "ro", "cs_CZ": "cs"},
}

CYRILLIC, HEBREW, ARABIC = (0x400, 0x52F), (0x590, 0x5FF), (0x600, 0x6FF)
SCRIPTS = {
    **dict.fromkeys(("ru", "uk", "bg", "sr"), CYRILLIC),
    **{"el": (0x370, 0x3FF), "he": HEBREW, "ar": ARABIC, "fa": ARABIC},
    **{"hi": (0x900, 0x97F), "ko": (0xAC00, 0xD7AF)},
}
NO_SPACES = ("zh", "ja", "ko")

ENGLISH_WORDS = frozenset(
    "the and that with this are which from by not if be you your is was of to for it on as".split()
)
# Words of the list that other languages have too do not count against those.
SHARED_WORDS = frozenset("is was of to for it on as be by not from".split())


@dataclass(frozen=True)
class Sample:
    language: str
    text: str
    split: str
    family: str


def clean(text: str) -> str:
    """Removes markup, shortcuts and placeholders, which say nothing about the language."""
    text = re.sub(r"<[^<>]{1,200}>", " ", text)
    text = html.unescape(text)
    text = re.sub(r"\s?\([_&]?[A-Z0-9]\)", "", text)  # shortcuts of Chinese and Japanese menus
    text = re.sub(r"[_&](?=\w)(?<!\w.)", "", text)  # shortcuts of menus: _File, &File
    text = re.sub(r"%(\(\w+\)|\d+\$)?[-+ #0]*[\d.*]*(hh|h|ll|l|z|j|q|I64)?[diouxXeEfgGcsp%]", " ", text)
    text = re.sub(r"%\w\b|%\d|\$\{?\w+\}?|\{\w*\}|\[\[.*?\]\]", " ", text)
    text = text.replace("…", "...").replace("\u200b", "").replace("\ufeff", "")
    return re.sub(r"\s+", " ", text).strip(" \t\n.:;,-*•|")


def letters(text: str) -> int:
    return sum(character.isalpha() for character in text)


def is_prose(text: str) -> bool:
    """Whether a text is language rather than a command, a name, a path or a table."""
    if re.search(r"[{}<>=\\^~$|@\x00-\x1f]|://|--\w|\w/\w+/|\w\(\)|\w_\w|[a-z][A-Z]\w*[A-Z]", text):
        return False
    visible = [character for character in text if not character.isspace()]
    if not visible or letters(text) < 0.75 * sum(not is_mark(character) for character in visible):
        return False
    words = text.split()
    if len(words) == 1 and re.search(r"\w[./:]\w|\d|[a-z][A-Z]", text):
        return False
    return not (len(words) > 2 and sum(word.isupper() and len(word) > 1 for word in words) > len(words) / 2)


def is_mark(character: str) -> bool:
    """Vowel signs of Devanagari and points of Hebrew and Arabic: part of words, not letters."""
    code = ord(character)
    return 0x900 <= code <= 0x97F or 0x591 <= code <= 0x5C7 or 0x610 <= code <= 0x65F


def has_right_script(language: str, text: str) -> bool:
    codes = [ord(character) for character in text if character.isalpha()]
    if language in SCRIPTS:
        low, high = SCRIPTS[language]
        return sum(low <= code <= high for code in codes) >= 0.6 * len(codes)
    kana = sum(0x3040 <= code <= 0x30FF for code in codes)
    if language in ("zh", "ja"):
        han = sum(0x3400 <= code <= 0x9FFF for code in codes)
        return kana + han >= 0.5 * len(codes) and (kana > 0) == (language == "ja")
    latin = sum(code < 0x250 or 0x1E00 <= code <= 0x1EFF for code in codes)
    return latin >= 0.95 * len(codes)


def looks_english(text: str) -> bool:
    words = re.findall(r"[a-z']+", text.lower())
    found = [word for word in words if word in ENGLISH_WORDS]
    certain = [word for word in found if word not in SHARED_WORDS]
    return bool(words) and (
        (len(certain) >= 1 and len(found) >= 0.15 * len(words))
        or (len(set(found)) >= 3 and len(found) >= 0.25 * len(words))
    )


def key_of(text: str) -> str:
    """What two texts share that differ only in case, digits and punctuation."""
    return re.sub(r"[\W\d_]+", "", text.casefold())


def catalogue(data: bytes) -> Iterator[tuple[str, list[str]]]:
    """Yields (English, translations) of a compiled message catalogue in UTF-8.

    Format: GNU gettext manual, "The Format of GNU MO Files".
    """
    order = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}.get(data[:4])
    if order is None:
        return
    count, originals, translations = struct.unpack_from(order + "3I", data, 8)
    for index in range(count):
        entry = []
        for table in (originals, translations):
            length, offset = struct.unpack_from(order + "2I", data, table + 8 * index)
            entry.append(data[offset : offset + length])
        try:
            original, translated = (part.decode("utf-8") for part in entry)
        except UnicodeDecodeError:
            continue
        if not original:
            charset = re.search(r"charset=([\w-]+)", translated)
            if charset and charset[1].lower() not in ("utf-8", "utf8", "ascii", "us-ascii"):
                return
            continue
        english = original.split("\x04")[-1].split("\0")[0]
        yield english, [part for part in translated.split("\0")[:2] if part]


ROFF_GLYPHS = {
    "\\-": "-", "\\&": "", "\\e": "\\", "\\|": "", "\\:": "", "\\%": "", "\\ ": " ", "\\(aq": "'",
    "\\(dq": '"', "\\(lq": '"', "\\(rq": '"', "\\(bu": "", "\\(cq": "'", "\\(oq": "'", "\\/": "", "\\,": "",
}  # fmt: skip


def manual_paragraphs(source: str) -> Iterator[str]:
    """Yields the running paragraphs of a page in man(7) or mdoc(7), examples and tables left out."""
    paragraph: list[str] = []
    end_of_block = ""
    for line in source.splitlines():
        if end_of_block:
            if re.match(end_of_block, line):
                end_of_block = ""
            continue
        if block := re.match(r"[.']\s*(nf|EX|TS|de|ig|SY)\b", line):
            end_of_block = {"de": r"\.\.", "ig": r"\.\."}.get(block[1], r"\.\s*(fi|EE|TE|YS)\b")
            continue
        if line.startswith(('.\\"', "'\\\"")):
            continue
        font = re.match(r"[.']\s*(?:B|I|BR|BI|IR|IB|RB|RI|SM|SB|Nm|Ar|Em)\s+(.*)", line)
        if font:
            line = font[1].replace('"', "")
        elif line[:1] in (".", "'") or not line.strip():
            if paragraph:
                yield " ".join(paragraph)
            paragraph = []
            continue
        line = re.sub(r"\\f(\[[^\]]*\]|\(..|.)|\\s[-+]?\d", "", line)
        for glyph, character in ROFF_GLYPHS.items():
            line = line.replace(glyph, character)
        paragraph.append(line)
    if paragraph:
        yield " ".join(paragraph)


def texts_of_file(path: str, content: bytes, package: str) -> Iterator[tuple[str, str]]:
    """Yields (language, raw text) of one file of a package."""
    if path.endswith(".mo"):
        # .../de/LC_MESSAGES/name.mo, or .../name-de_DE.mo
        locale = path.split("/")[-3] if "/LC_" in path else path.rsplit("/", 1)[-1][:-3].split("-")[-1]
        language = LOCALES.get(locale.split("@")[0]) if "@latin" not in locale else None
        # Lists of countries, languages and currencies are names, not sentences.
        if language is None or re.match(r"iso_", path.rsplit("/", 1)[-1]):
            return
        for english, translations in catalogue(content):
            yield "en", english
            for translation in translations:
                if language != "en" and translation != english:
                    yield language, translation
        return
    if path.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError):
            return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return
    if match := re.match(r"usr/share/man/(?:([\w.@]+)/)?man\d/", path):
        language = LOCALES.get((match[1] or "en").split(".")[0])
        if language:
            for paragraph in manual_paragraphs(text):
                yield language, paragraph
    elif match := re.match(r"usr/share/help/(\w+)/.*\.page$", path):
        language = "en" if match[1] == "C" else LOCALES.get(match[1])
        if language:
            for paragraph in re.findall(r"<(?:p|title|desc)>(.*?)</(?:p|title|desc)>", text, re.S):
                yield language, paragraph
    elif package.startswith("fortunes"):
        suffix = package.removeprefix("fortunes").lstrip("-")
        language = {"": "en", "min": "en", "br": "pt"}.get(suffix) or LOCALES.get(suffix)
        if language and not path.endswith((".dat", ".u8", "/sk")):
            for saying in re.split(r"\n%\n", text):
                yield language, re.sub(r"\n\s*--.*", "", saying, flags=re.S)
    elif match := re.match(r"debian-(?:faq|reference)-?(.*)", package):
        language = LOCALES.get((match[1] or "en").replace("-", "_"))
        if language:
            for paragraph in re.findall(r"<p>(.*?)</p>", text, re.S):
                yield language, paragraph


def wanted(path: str, size: int) -> bool:
    if size > 8 << 20:
        return False
    return (
        (path.endswith(".mo") and path.count("/") >= 3)
        or re.match(r"usr/share/(man/|help/.*\.page$|games/fortunes/)", path) is not None
        or re.match(r"usr/share/(doc/)?debian-(faq|reference).*\.html$|usr/share/doc/.*\.html$", path) is not None
    )


def texts_of_package(package: str, deb: Path) -> tuple[list[tuple[str, str]], collections.Counter]:
    """Returns the (language, text) pairs of a package that are fit to learn from, and why others are not."""
    texts: dict[tuple[str, str], None] = {}
    dropped: collections.Counter = collections.Counter()
    for path, content in package_files(deb, wanted):
        for language, raw in texts_of_file(path, content, package):
            text = clean(raw)
            if (language, text) in texts:
                continue
            if len(text.encode()) < 10 or letters(text) < (4 if language in NO_SPACES else 8):
                dropped["too short"] += 1
            elif not is_prose(text):
                dropped["not prose"] += 1
            elif not has_right_script(language, text):
                dropped["wrong script"] += 1
            elif language != "en" and language not in SCRIPTS and looks_english(text):
                dropped["english"] += 1
            else:
                texts[language, text] = None
    return list(texts), dropped


def without_duplicates(samples: list[Sample], dropped: collections.Counter) -> list[Sample]:
    """Keeps each text once, and none whose language is in doubt.

    A long text that is also found in English is English: someone left it untranslated.
    """
    languages: dict[str, set[str]] = collections.defaultdict(set)
    for sample in samples:
        languages[key_of(sample.text)].add(sample.language)
    order = {split: rank for rank, split in enumerate(SPLITS)}
    samples.sort(key=lambda sample: (order[sample.split], sample.family, sample.language, sample.text))
    seen: set[tuple[str, str]] = set()
    kept = []
    for sample in samples:
        key = key_of(sample.text)
        if len(languages[key]) > 1 and not (sample.language == "en" and len(key) > 40):
            dropped["two languages"] += 1
        elif (sample.language, key) in seen:
            dropped["duplicate"] += 1
        else:
            seen.add((sample.language, key))
            kept.append(sample)
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder for downloads and the result, outside the repository")
    for part, cap in (("train", 60000), ("dev", 300), ("test", 1000)):
        text = f"texts a language of the {part} part (default %(default)s)"
        parser.add_argument(f"--{part}-cap", type=int, default=cap, help=text)
    arguments = parser.parse_args()

    started = time.time()
    families = read_package_list(HERE / "packages.txt")
    packages = fetch(list(families), arguments.work / "debs")
    splits = {
        family: FIXED_SPLIT.get(family) or split_of(family, "language-1", test_percent=20, dev_percent=6)
        for family in families.values()
    }
    dropped: collections.Counter = collections.Counter()
    samples: list[Sample] = []
    for number, (package, deb) in enumerate(packages.items(), start=1):
        cache = arguments.work / "texts" / f"{package}.pickle"
        if not cache.exists():
            write_atomically(cache, pickle.dumps(texts_of_package(package, deb)))
        texts, dropped_here = pickle.loads(cache.read_bytes())
        dropped += dropped_here
        family = families[package]
        samples += [Sample(language, text, splits[family], family) for language, text in texts]
        print(f"{number}/{len(packages)} {package}: {len(texts)} texts, {time.time() - started:.0f} s", file=sys.stderr)

    print(f"{len(samples)} texts")
    samples = without_duplicates(samples, dropped)
    print(f"{len(samples)} kept; dropped: {dict(dropped)}")
    random.Random(7).shuffle(samples)
    caps = {"train": arguments.train_cap, "dev": arguments.dev_cap}
    parts: dict[str, dict[str, list[Sample]]] = {split: {label: [] for label in LABELS} for split in SPLITS}
    for sample in samples:
        part = parts[sample.split][sample.language]
        if len(part) < caps.get(sample.split, arguments.test_cap):
            part.append(sample)
    data = {"labels": LABELS}
    for split in SPLITS:
        chosen = [sample for part in parts[split].values() for sample in part]
        data[split] = [(sample.text, LABELS.index(sample.language)) for sample in chosen]
        print(split, len(chosen), {label: len(part) for label, part in parts[split].items()})
        print("  families:", " ".join(sorted({family for family, s in splits.items() if s == split})))
    encoded = {split: [text.encode() for text, _ in data[split]] for split in ("test", "train")}
    data["test_shares_run"] = shares_run(encoded["test"], encoded["train"], length=20)
    print(f"test texts that share 20 bytes with training: {data['test_shares_run'].sum()} of {len(data['test'])}")
    write_atomically(arguments.work / "texts.pickle", pickle.dumps(data))
    print(f"{arguments.work / 'texts.pickle'} in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
