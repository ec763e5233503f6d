"""The shared library shows bytecnn's own names and nothing else. Usage: check_exported_names.py LIBRARY"""
import re
import shutil
import subprocess
import sys


def main():
    if not shutil.which("nm"):
        return 77
    listing = subprocess.run(["nm", "--dynamic", "--defined-only", "--demangle", sys.argv[1]], check=True,
                             capture_output=True, text=True).stdout
    names = [line.split(maxsplit=2)[2] for line in listing.splitlines()]
    own = re.compile(r"bytecnn(_|::)|(typeinfo( name)?|vtable) for bytecnn::")
    foreign = [name for name in names if not own.match(name)]
    for name in foreign:
        print("not bytecnn's own:", name)
    hidden = [name for name in names if "bytecnn::kernels::" in name or "::Impl" in name]
    for name in hidden:
        print("private, and yet shown:", name)
    missing = [name for name in ("bytecnn_classify", "bytecnn::Classifier::load") if
               not any(shown.startswith(name) for shown in names)]
    for name in missing:
        print("missing:", name)
    print(len(names), "names")
    return 1 if foreign or hidden or missing else 0


if __name__ == "__main__":
    sys.exit(main())
