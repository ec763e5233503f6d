"""The Debian packages: names, sections, dependencies, contents, and that the unpacked program runs.
Usage: check_packages.py FOLDER_WITH_PACKAGES FOLDER_TO_UNPACK MODEL"""
import glob
import os
import re
import subprocess
import sys

COMMON = {"Maintainer": r".+@.+", "Version": r"\d+\.\d+\.\d+-1", "Description": r"byte-level CNN classifiers for .+"}
PACKAGES = {
    "libbytecnn0": ({"Section": "libs", "Depends": r".*libc6 .*libstdc\+\+6.*"},
                    [r"lib/.*libbytecnn\.so\.0", r"lib/.*libbytecnn\.so\.0\.\d+\.\d+"],
                    [r"include/", r"bin/", r"\.so$", r"\.a$"]),
    "libbytecnn-dev": ({"Section": "libdevel", "Depends": r"libbytecnn0 \(= \d+\.\d+\.\d+-1\)"},
                       [r"include/bytecnn\.h", r"include/bytecnn/classifier\.hpp", r"include/bytecnn/version\.hpp",
                        r"lib/.*libbytecnn\.so", r"lib/.*libbytecnn\.a", r"lib/.*pkgconfig/bytecnn\.pc",
                        r"lib/.*cmake/bytecnn/bytecnnConfig\.cmake", r"lib/.*cmake/bytecnn/bytecnnConfigVersion\.cmake"],
                       [r"bin/", r"\.so\.0", r"nlohmann", r"xsimd", r"\.in$"]),
    "bytecnn-tools": ({"Section": "science", "Depends": r".*libc6 .*"},
                      [r"bin/bytecnn"],
                      [r"include/", r"libbytecnn\.(so|a)", r"man1/.*\.1$"]),
}


def output_of(*command, env=None):
    return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout


def fields_of(package):
    return dict(re.findall(r"^([A-Z][A-Za-z-]*): (.*)$", output_of("dpkg-deb", "--field", package), re.MULTILINE))


def problems_of(name, package):
    wanted, present, absent = PACKAGES[name]
    fields = fields_of(package)
    for field, pattern in {**COMMON, **wanted}.items():
        if not re.fullmatch(pattern, fields.get(field, "")):
            yield f"{field} is {fields.get(field)!r}, expected {pattern}"
    entries = re.findall(r"^(\S+)\s+root/root .* \./usr/?(\S*)(?: -> \S+)?$", output_of("dpkg-deb", "--contents", package),
                         re.MULTILINE)
    files = {path: mode for mode, path in entries if not mode.startswith("d")}
    for pattern in present + [rf"share/doc/{name}/copyright", rf"share/doc/{name}/changelog\.Debian\.gz"]:
        if not any(re.fullmatch(pattern, path) for path in files):
            yield f"nothing matches {pattern}"
    for pattern in absent:
        for path in files:
            if re.search(pattern, path):
                yield f"{path} does not belong here"
    for path, mode in files.items():
        if mode[0] != "l" and "w" in (mode[5], mode[8]):
            yield f"{path} may be written by others: {mode}"


def main():
    folder, root, model = sys.argv[1:]
    packages = {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(folder, "*.deb"))}
    failed = False
    for name in PACKAGES:
        if name not in packages:
            if name == "bytecnn-tools":
                continue  # a build without the programs
            print(f"{name}: missing")
            failed = True
            continue
        for problem in problems_of(name, packages[name]):
            print(f"{name}: {problem}")
            failed = True
        subprocess.run(["dpkg-deb", "--extract", packages[name], root], check=True)
        print(name, fields_of(packages[name])["Installed-Size"], "KiB", fields_of(packages[name])["Depends"])
    program = os.path.join(root, "usr/bin/bytecnn")
    if os.path.exists(program):
        libraries = {os.path.dirname(path) for path in glob.glob(f"{root}/usr/lib/**/libbytecnn.so.0", recursive=True)}
        label = output_of(program, "classify", model, "--text", "a", "--output", "label",
                          env={**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)})
        if label != "yes\n":
            print(f"the unpacked program says {label!r}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
