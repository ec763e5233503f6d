"""Reads the contents of Debian packages without installing them.

Both models are trained from files that Debian ships.  A package is fetched with
`apt-get download`, which needs no privileges and checks the archive's signature,
and is then read as a stream: nothing is unpacked to disk.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path


def read_package_list(path: Path) -> dict[str, str]:
    """Returns {package: family} of a list with one package a line.

    A second word names the family, a set of packages that share text; a package
    that names none is a family of its own.  `#` starts a comment.
    """
    families: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if len(words) > 2 or words[0] in families:
            raise SystemExit(f"{path}:{number}: expected 'package [family]', each package once")
        families[words[0]] = words[-1]
    return families


def split_of(family: str, salt: str, test_percent: int, dev_percent: int) -> str:
    """Assigns a family to "train", "dev" or "test" by a hash of its name.

    The assignment depends on nothing else, so a new package never moves an old one.
    """
    draw = int(hashlib.sha256(f"{salt}/{family}".encode()).hexdigest(), 16) % 100
    if draw < test_percent:
        return "test"
    return "dev" if draw < test_percent + dev_percent else "train"


def fetch(packages: list[str], folder: Path) -> dict[str, Path]:
    """Downloads the packages that `folder` lacks; returns {package: file}.

    One call of apt-get for each package: a call with several names fetches none of
    them if one name is unknown.  Packages that cannot be had are reported and left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    present = {file.name.split("_", 1)[0]: file for file in folder.glob("*.deb")}
    found: dict[str, Path] = {}
    for package in packages:
        if package not in present:
            print(f"fetching {package}", file=sys.stderr)
            run = subprocess.run(
                ["apt-get", "-qq", "download", package], cwd=folder, capture_output=True, text=True
            )
            files = sorted(folder.glob(f"{package}_*.deb"))
            if run.returncode != 0 or not files:
                print(f"  not available: {run.stderr.strip()}", file=sys.stderr)
                continue
            present[package] = files[-1]
        found[package] = present[package]
    return found


def package_files(deb: Path, wanted: Callable[[str, int], bool]) -> Iterator[tuple[str, bytes]]:
    """Yields (path, content) of the regular files of a package that `wanted(path, size)` accepts.

    Links are skipped, so one text is not counted under several names.
    """
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpack:
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
            for member in archive:
                path = member.name.removeprefix("./")
                if member.isreg() and wanted(path, member.size):
                    content = archive.extractfile(member)
                    if content is not None:
                        yield path, content.read()
    if unpack.returncode != 0:
        raise RuntimeError(f"{deb}: dpkg-deb ended with status {unpack.returncode}")


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` so that an interruption leaves either the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    os.replace(partial, path)
