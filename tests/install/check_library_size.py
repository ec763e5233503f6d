"""The shared library, stripped as packages strip it, stays under a megabyte: check_library_size.py LIBRARY.

Exit status 77 (skipped) without strip.
"""

import os
import shutil
import subprocess
import sys
import tempfile

MOST_BYTES = 1_000_000


def main() -> int:
    library = sys.argv[1]
    strip = shutil.which("strip")
    if strip is None:
        print("no strip")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        stripped = os.path.join(folder, "libbytecnn.so")
        subprocess.run([strip, "--strip-unneeded", "-o", stripped, library], check=True)
        size = os.path.getsize(stripped)
    print(f"{size} bytes stripped, at most {MOST_BYTES}")
    if size > MOST_BYTES:
        print("Where they are: nm --size-sort -S -C on build/runtime/libbytecnn.so; kernels are three times in it.")
    return 0 if size <= MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
