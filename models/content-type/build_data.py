#!/usr/bin/python3
"""Cuts fragments of 512 bytes out of the files of Debian packages, 22 kinds of content.

A file's kind is told by its name *and* its content, never by the name alone.  Fragments
are split by package family into train and test; a file that several packages ship stays
in the test.  The fragments carry the licences of their packages and stay in the
work folder.
"""

from __future__ import annotations

import argparse
import ast
import collections
import gzip
import hashlib
import io
import json
import pickle
import random
import re
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "training"))
from debian_packages import fetch, package_files, read_package_list, split_of, write_atomically
from overlap import shares_run

LABELS = (HERE / "labels.txt").read_text(encoding="utf-8").split()
LENGTH = 512
# The classes differ in how much a package has of them.  Fragments of one package beyond
# these caps teach the package, not the class.
PACKAGE_CAP = {"json": 700, "po": 700, "go": 900, "rust": 700, "ruby": 700, "java-class": 600, "ttf": 600, "perl": 600}
DEFAULT_PACKAGE_CAP = 400
FILE_CAP = {"json": 40, "jpeg": 40, "ttf": 60, "css": 20, "perl": 10, "shell": 12, "x86-64": 40, "sparse": 60}
DEFAULT_FILE_CAP = 6
# Classes of several kinds of file, which get equal shares of it.
BALANCED = ("compressed", "text")
# Chosen before anything was trained, so that each class has at least three families of some
# size in the test and the larger part of its fragments in training.
SALT = "content-type-11"
SPLITS = ("test", "train")  # a file found in both stays in the first

BY_EXTENSION = {
    ".html": "html", ".htm": "html", ".xhtml": "html",
    ".xml": "xml", ".svg": "xml", ".page": "xml", ".docbook": "xml", ".ui": "xml", ".xsd": "xml", ".xsl": "xml",
    ".json": "json", ".geojson": "json", ".ipynb": "json",
    ".c": "c", ".h": "c", ".cc": "c", ".cpp": "c", ".cxx": "c", ".hpp": "c", ".hh": "c", ".hxx": "c",
    ".py": "python", ".pl": "perl", ".pm": "perl", ".sh": "shell", ".bash": "shell",
    ".js": "javascript", ".mjs": "javascript", ".css": "css", ".txt": "text",
    ".po": "po", ".pot": "po", ".mo": "mo", ".ttf": "ttf", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg",
    ".go": "go", ".rs": "rust", ".rb": "ruby", ".jar": "jar", ".gz": "gz",
}  # fmt: skip
PROSE_NAMES = re.compile(r"(README|NEWS|copyright|changelog|ChangeLog|INSTALL|HISTORY|COPYING|THANKS|TODO|AUTHORS)$")
PRINTABLE = bytes(range(32, 127)) + b"\n\r\t\f"

Found = tuple[str, str, bytes]  # class, subkind, the bytes to cut fragments from


def is_plain_text(data: bytes) -> bool:
    """Whether the bytes are mostly ASCII text; other encodings of prose are the language model's matter."""
    head = data[:20000]
    return bool(head) and len(head.translate(None, PRINTABLE)) < 0.01 * len(head)


def is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), (dict, list))
    except (ValueError, RecursionError):
        return False


def is_python(data: bytes) -> bool:
    try:
        ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


# What a file of a class must look like, besides its name.
CONTENT_CHECKS = {
    "html": lambda data: b"<" in data[:300] and b"html" in data[:1000].lower(),
    "xml": lambda data: data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" and b"<html" not in data[:1000].lower(),
    "json": is_json,
    "c": lambda data: b"\0" not in data[:4000] and re.search(rb"^\s*#|;\s*$|/\*", data, re.M) is not None,
    "python": is_python,
    "perl": lambda data: re.search(rb"^\s*(use|package|sub|my)\s", data, re.M) is not None,
    "shell": lambda data: b"\0" not in data[:4000],
    "javascript": lambda data: re.search(rb"function|=>|var |const |let |define\(", data) is not None,
    "css": lambda data: b"{" in data and b":" in data,
    "text": is_plain_text,
    "po": lambda data: re.search(rb'^msgid "', data, re.M) is not None,
    "mo": lambda data: data[:4] in (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"),
    "ttf": lambda data: data[:4] in (b"\0\1\0\0", b"true"),
    "png": lambda data: data[:4] == b"\x89PNG",
    "jpeg": lambda data: data[:3] == b"\xff\xd8\xff",
    "go": lambda data: re.search(rb"^package \w+", data, re.M) is not None,
    "rust": lambda data: re.search(rb"\b(fn|let|use|mod|impl|struct|pub)\b", data) is not None,
    "ruby": lambda data: re.search(rb"^\s*(def|class|module|require|end|describe|it)\b", data, re.M) is not None,
}
SHELL_LINE = re.compile(rb"#! ?/(usr/)?bin/(env )?(ba|da|k|z)?sh\b")
PERL_LINE = re.compile(rb"#! ?/usr/bin/(env )?perl")
PYTHON_LINE = re.compile(rb"#! ?/usr/bin/(env )?python")


def machine_code(data: bytes) -> bytes:
    """The .text section of an ELF file for x86-64 (System V ABI, chapter 4); empty for other files."""
    if data[:6] != b"\x7fELF\2\1" or data[18:20] != b"\x3e\0":
        return b""
    (table,) = struct.unpack_from("<Q", data, 40)
    entry_size, count, names_index = struct.unpack_from("<HHH", data, 58)
    if count == 0 or names_index >= count or table + count * entry_size > len(data):
        return b""
    sections = [struct.unpack_from("<IIQQQQ", data, table + index * entry_size) for index in range(count)]
    names = sections[names_index][4]
    for name, _, _, _, offset, size in sections:
        if data[names + name : names + name + 6] == b".text\0":
            return data[offset : offset + size]
    return b""


def contents(path: str, data: bytes) -> Iterator[Found]:
    """Yields what one file can teach: nothing, one class, or several for an archive."""
    name = path.rsplit("/", 1)[-1]
    extension = "." + name.rsplit(".", 1)[-1].lower() if "." in name else ""
    kind = BY_EXTENSION.get(extension)
    if re.search(r"/man/([\w@.]+/)?man\d/", path):
        page = unpacked(data) if kind == "gz" else data
        if page.startswith((b".", b"'")) or b"\n.SH" in page[:4000]:
            yield "roff", "roff", page
        if kind == "gz":
            yield "compressed", "gzip", data
    elif kind == "gz":
        if data[:2] == b"\x1f\x8b":
            yield "compressed", "gzip", data
            text = unpacked(data)
            if PROSE_NAMES.search(name[:-3].split(".")[0]) and is_plain_text(text):
                yield "text", "changelog", text
    elif kind == "jar":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                entries = [entry for entry in archive.namelist() if entry.endswith(".class")]
                for entry in random.sample(entries, min(len(entries), 300)):
                    content = archive.read(entry)
                    if content[:4] == b"\xca\xfe\xba\xbe":
                        yield "java-class", "java-class", content
        except (zipfile.BadZipFile, NotImplementedError, OSError):
            return
    elif kind == "png":
        if CONTENT_CHECKS["png"](data):
            yield "compressed", "png", data
    elif kind is not None:
        if CONTENT_CHECKS[kind](data):
            yield kind, kind, data.split(b"\n__END__")[0] if kind == "perl" else data
    elif data[:4] == b"\x7fELF":
        if code := machine_code(data):
            yield "x86-64", "x86-64", code
            yield "sparse", "elf", data
    elif SHELL_LINE.match(data):
        yield "shell", "script", data
    elif PERL_LINE.match(data):
        yield "perl", "script", data.split(b"\n__END__")[0]
    elif PYTHON_LINE.match(data):
        if is_python(data):
            yield "python", "script", data
    elif "/bash-completion/completions/" in path:
        yield "shell", "completion", data
    elif PROSE_NAMES.search(name) and is_plain_text(data):
        yield "text", "readme", data


def unpacked(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)[: 2 << 20]
    except (OSError, EOFError, ValueError):
        return b""


def wanted(path: str, size: int) -> bool:
    return 300 <= size <= (64 << 20)


def files_of_package(deb: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a package, and those of a source archive that it ships."""
    for path, data in package_files(deb, wanted):
        if re.search(r"usr/src/.*\.tar(\.\w+)?$", path):
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                for member in archive:
                    if member.isreg() and wanted(member.name, member.size):
                        yield "usr/src/" + member.name, archive.extractfile(member).read()
        else:
            yield path, data


def fragments(data: bytes, count: int, first: int) -> Iterator[bytes]:
    """`count` fragments at random offsets; none where the data has less than a fragment."""
    if len(data) < LENGTH + first:
        return
    for _ in range(count):
        start = random.randint(first, len(data) - LENGTH)
        yield data[start : start + LENGTH]


def is_sparse(fragment: bytes) -> bool:
    return fragment.count(0) >= 3 * LENGTH // 4


def fragments_of_package(package: str, deb: Path) -> list[tuple[str, str, bytes, bytes]]:
    """[(class, subkind, digest of the file, fragment)], no more than the caps allow."""
    random.seed(package)
    pools: dict[tuple[str, str], list[tuple[bytes, bytes]]] = collections.defaultdict(list)
    plain: list[bytes] = []
    for path, data in files_of_package(deb):
        digest = hashlib.sha256(data).digest()[:8]
        if sum(map(len, plain)) < 3 << 20 and len(data) < 1 << 20:
            plain.append(data)
        for label, subkind, content in contents(path, data):
            count = min(FILE_CAP.get(label, DEFAULT_FILE_CAP), 1 + len(content) // 600)
            binary = label in ("compressed", "jpeg", "ttf", "mo", "java-class")
            for fragment in fragments(content, count, first=64 if binary else 0):
                # An empty region has no kind but "sparse", whatever file it stands in.
                if is_sparse(fragment):
                    pools["sparse", subkind].append((digest, fragment))
                elif label != "sparse":
                    pools[label, subkind].append((digest, fragment))
    package_bytes = deb.read_bytes()[: 4 << 20]
    start = package_bytes.find(b"\xfd7zXZ", 200)  # the archive of control files comes first, then the data
    if start >= 0 and len(package_bytes) > start + 20000:
        digest = hashlib.sha256(package_bytes).digest()[:8]
        pools["compressed", "xz"] += [(digest, f) for f in fragments(package_bytes[start + 2000 :], 60, 0)]
    joined = b"".join(plain)
    if len(joined) > 8000:
        level = random.choice(("-1", "-3", "-9", "-15"))
        run = subprocess.run(["zstd", "-q", "-c", level], input=joined, capture_output=True, check=True)
        digest = hashlib.sha256(joined).digest()[:8]
        pools["compressed", "zstd"] += [(digest, f) for f in fragments(run.stdout, 30, 64)]
    chosen = []
    for (label, subkind), pool in sorted(pools.items()):
        cap = PACKAGE_CAP.get(label, DEFAULT_PACKAGE_CAP)
        for digest, fragment in random.sample(pool, min(cap, len(pool))):
            chosen.append((label, subkind, digest, fragment))
    return chosen


def balanced(pool: list[tuple[str, str, bytes]], cap: int) -> list[bytes]:
    """At most `cap` fragments: subkinds in equal shares, no package with more than its fair part."""
    by_subkind: dict[str, list[tuple[str, bytes]]] = collections.defaultdict(list)
    for package, subkind, fragment in pool:
        by_subkind[subkind].append((package, fragment))
    taken = []
    for _, candidates in sorted(by_subkind.items()):
        random.shuffle(candidates)
        share = cap // len(by_subkind)
        of_package: collections.Counter = collections.Counter()
        kept = []
        for package, fragment in candidates:
            if of_package[package] < max(40, share // 4):
                of_package[package] += 1
                kept.append(fragment)
        taken += kept[:share]
    random.shuffle(taken)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder for downloads and the result, outside the repository")
    parser.add_argument("--train-cap", type=int, default=10000, help="training fragments a class (default %(default)s)")
    parser.add_argument("--test-cap", type=int, default=1000, help="test fragments a class (default %(default)s)")
    arguments = parser.parse_args()

    started = time.time()
    families = read_package_list(HERE / "packages.txt")
    packages = fetch(list(families), arguments.work / "debs")
    splits = {family: split_of(family, SALT, test_percent=25, dev_percent=0) for family in families.values()}
    pools: dict[tuple[str, str], list[tuple[str, str, bytes]]] = collections.defaultdict(list)
    side_of_file: dict[bytes, str] = {}
    for split in SPLITS:
        for package, deb in packages.items():
            if splits[families[package]] != split:
                continue
            cache = arguments.work / "fragments" / f"{package}.pickle"
            if not cache.exists():
                write_atomically(cache, pickle.dumps(fragments_of_package(package, deb)))
                print(f"{package}, {time.time() - started:.0f} s", file=sys.stderr)
            for label, subkind, digest, fragment in pickle.loads(cache.read_bytes()):
                if side_of_file.setdefault(digest, split) == split:
                    pools[split, label].append((package, subkind if label in BALANCED else "", fragment))

    random.seed(7)
    caps = {"train": arguments.train_cap, "test": arguments.test_cap}
    data: dict = {"labels": LABELS}
    for split in SPLITS:
        data[split] = [
            (fragment, index)
            for index, label in enumerate(LABELS)
            for fragment in balanced(pools[split, label], caps[split])
        ]
    for index, label in enumerate(LABELS):
        counts = []
        for split in SPLITS:
            kept = sum(1 for _, kind in data[split] if kind == index)
            counts.append(f"{split} {kept} of {len({package for package, _, _ in pools[split, label]})} packages")
        print(f"{label}: " + ", ".join(counts))
    tested, trained = ([fragment for fragment, _ in data[split]] for split in ("test", "train"))
    data["test_shares_run"] = shares_run([f if not is_sparse(f) else b"" for f in tested], trained, length=64)
    print(f"test fragments that share 64 bytes with training: {data['test_shares_run'].sum()} of {len(tested)}")
    write_atomically(arguments.work / "fragments.pickle", pickle.dumps(data))
    print(f"{arguments.work / 'fragments.pickle'} in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
