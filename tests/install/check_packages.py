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
    "bytecnn-tools": ({"Section": "science", "Depends": r"(?!.*torch).*libc6 .*"},
                      [r"bin/bytecnn"],
                      [r"include/", r"libbytecnn\.(so|a)", r"man1/.*\.1$", "verify", "torch"]),
    "bytecnn-verify": ({"Section": "science", "Depends": r"(?=.*bytecnn-tools \(= ).*libtorch.*"},
                       [r"bin/bytecnn-verify", r"lib/.*bytecnn/libbytecnn_torch\.so", r"share/man/man1/bytecnn-verify\.1\.gz"],
                       [r"include/", r"libbytecnn\.(so|a)", r"man1/.*\.1$", r"bin/bytecnn(-export)?$"]),
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


def problems_of_programs(root, model):
    """Where bytecnn-verify is not installed."""
    libraries = {os.path.dirname(path) for path in glob.glob(f"{root}/usr/lib/**/libbytecnn.so.0", recursive=True)}
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}
    program = os.path.join(root, "usr/bin/bytecnn")
    label = output_of(program, "classify", model, "--text", "a", "--output", "label", env=environment)
    if label != "yes\n":
        yield f"the unpacked program says {label!r}"
    verify = subprocess.run([program, "verify", "a.pth", model], capture_output=True, text=True, env=environment, check=False)
    if verify.returncode != 4 or "package bytecnn-verify" not in verify.stderr:
        yield f"without bytecnn-verify: {verify.returncode} {verify.stderr}"


def main():
    folder, root, model = sys.argv[1:]
    packages = {os.path.basename(path).split("_")[0]: path for path in glob.glob(os.path.join(folder, "*.deb"))}
    failed = False
    # In the order in which one would install them: the programs run before what they suggest is there.
    for name in PACKAGES:
        if name not in packages:
            if name in ("bytecnn-tools", "bytecnn-verify"):
                continue  # a build without the programs, or without libtorch
            print(f"{name}: missing")
            failed = True
            continue
        for problem in problems_of(name, packages[name]):
            print(f"{name}: {problem}")
            failed = True
        subprocess.run(["dpkg-deb", "--extract", packages[name], root], check=True)
        print(name, fields_of(packages[name])["Installed-Size"], "KiB", fields_of(packages[name])["Depends"])
        if name == "bytecnn-tools":
            for problem in problems_of_programs(root, model):
                print(problem)
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
