"""Who may include whom: the folders' dependencies as CONTRIBUTING.md draws them, and which library stands behind which
folder. Usage: check_dependencies.py SOURCE_TREE"""
import pathlib
import re
import sys

# Folder: the folders that it may include from, besides itself. The longest folder that matches a file is its own.
FOLDERS = {
    "runtime/include": set(),
    "runtime/src": {"runtime/include", "runtime/src/kernels"},
    "runtime/src/kernels": {"runtime/include", "runtime/src"},
    "exporter/src/certificate": {"runtime/include"},
    "exporter/src/checkpoint": {"runtime/include"},
    "exporter/src/torch": {"runtime/include", "exporter/src", "exporter/src/checkpoint"},
    "exporter/src": {"runtime/include", "exporter/src/checkpoint", "exporter/src/torch", "exporter/src/search",
                     "exporter/src/verify", "exporter/src/certificate", "tools/command_line"},
    "exporter/src/search": {"runtime/include", "exporter/src", "exporter/src/verify"},
    "exporter/src/verify": {"runtime/include", "exporter/src", "exporter/src/checkpoint", "exporter/src/torch",
                            "exporter/src/certificate", "tools/command_line"},
    "tools/command_line": set(),
    "tools/bytecnn": {"runtime/include", "tools/command_line", "exporter/src/certificate"},
    "bench/src": {"runtime/include"},
}
# Files that may see more: those that prove something about another folder's inside, or that are not like their neighbours.
EXCEPTIONS = {
    ("exporter/src/verify/bound/all_windows.cpp", "runtime/src/first_layer_rows.hpp"),
    ("exporter/src/verify/bound/arithmetic.hpp", "runtime/src/winograd.hpp"),
    ("runtime/src/kernels/dispatch.cpp", "string"),  # compiled as the rest of the library is
    ("runtime/src/kernels/dispatch.cpp", "vector"),
}
# Headers of libraries, and the folders that may include them.
LIBRARIES = {
    r"(torch|ATen|c10)/.*": {"exporter/src/torch", "bench/src"},
    r"xsimd/.*": {"runtime/src/kernels", "bench/src"},
    r"nlohmann/.*": {"runtime/src", "exporter/src", "exporter/src/certificate", "exporter/src/checkpoint",
                     "exporter/src/search", "exporter/src/torch", "exporter/src/verify", "tools/bytecnn",
                     "tools/command_line", "bench/src"},
    r"CLI/.*": {"exporter/src", "exporter/src/verify", "tools/command_line", "tools/bytecnn", "bench/src"},
    r"zlib\.h": {"exporter/src/checkpoint"},
    r"sha2\.h": {"exporter/src/certificate"},
    r"benchmark/.*": {"bench/src"},
    # Kernels are compiled with flags of their own; what these headers define inline could end up in other code.
    r"(vector|string|map|memory|functional|iostream)": set(FOLDERS) - {"runtime/src/kernels"},
}
# In the order in which the build looks for them.
ROOTS = ["runtime/include", "build", "runtime/src", "exporter/src", "tools", "exporter", "tools/bytecnn", "bench/src"]


def folder_of(path):
    return max((folder for folder in FOLDERS if path.startswith(folder + "/")), key=len, default=None)


def resolved(tree, file, name):
    for root in [file.parent, *(tree / root for root in ROOTS)]:
        if (root / name).is_file():
            return (root / name).resolve().relative_to(tree).as_posix()
    return None


def problems_of(tree, file):
    own_path = file.relative_to(tree).as_posix()
    own = folder_of(own_path)
    for kind, name in re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', file.read_text(), re.MULTILINE):
        other_path = resolved(tree, file, name) if kind == '"' else None
        if other_path:
            other = folder_of(other_path)
            if other not in FOLDERS[own] | {own} and (own_path, other_path) not in EXCEPTIONS:
                yield f"{own_path} includes {other_path}: {own} must know nothing of {other}"
        elif kind == "<":
            for pattern, folders in LIBRARIES.items():
                if re.fullmatch(pattern, name) and own not in folders and (own_path, name) not in EXCEPTIONS:
                    yield f"{own_path} includes <{name}>, which belongs to {', '.join(sorted(folders))}"


def main():
    tree = pathlib.Path(sys.argv[1]).resolve()
    everything = (file for folder in FOLDERS for file in (tree / folder).rglob("*"))
    files = sorted({file for file in everything if file.suffix in (".cpp", ".hpp", ".h")})
    problems = [problem for file in files for problem in problems_of(tree, file)]
    print("\n".join(problems) or f"{len(files)} files keep to their folders")
    return 1 if problems or len(files) < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
