"""Programs built with pkg-config's flags alone, shared and static, in C++ and C.
Usage: check_pkg_config.py PKGCONFIG_FOLDER CXX PROGRAM_CPP PROGRAM_C MODEL"""
import os
import shutil
import subprocess
import sys
import tempfile


def main():
    folder, cxx, cpp, c, model = sys.argv[1:]
    cc = shutil.which("cc")
    if not shutil.which("pkg-config") or not cc:
        return 77
    environment = dict(os.environ, PKG_CONFIG_PATH=folder)

    def flags(*options):
        answer = subprocess.run(["pkg-config", *options, "bytecnn"], env=environment, check=True, capture_output=True,
                                text=True)
        return answer.stdout.split()

    libraries = subprocess.run(["pkg-config", "--variable=libdir", "bytecnn"], env=environment, check=True,
                               capture_output=True, text=True).stdout.strip()
    version = flags("--modversion")[0]
    shared, static = flags("--cflags", "--libs"), ["-static", *flags("--static", "--cflags", "--libs")]
    ways = [("C++ shared", [cxx, "-std=c++20", cpp], shared), ("C++ static", [cxx, "-std=c++20", cpp], static),
            ("C shared", [cc, "-std=c89", c], shared), ("C static", [cc, "-std=c89", c], static)]
    with tempfile.TemporaryDirectory() as place:
        for name, compiler, options in ways:
            program = os.path.join(place, "program")
            subprocess.run([*compiler, *options, "-o", program], check=True)
            answer = subprocess.run([program, model, "a"], env=dict(os.environ, LD_LIBRARY_PATH=libraries), check=True,
                                    capture_output=True, text=True).stdout
            print(f"{name}: {answer.strip()}")
            if not answer.startswith("yes 0.7310"):
                return 1
    print("bytecnn", version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
