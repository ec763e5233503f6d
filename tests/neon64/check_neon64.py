"""Compiles the library and the accuracy program for 64-bit ARM and runs it in an emulator: the kernels are those of the
other instruction sets, compiled from one source, and here they meet the double reference too.

Skipped (77) where there is no cross compiler (Debian: g++-aarch64-linux-gnu) or no emulator (qemu-user); neither is
needed otherwise. Without the emulator the sources are compiled all the same.
"""
import os
import shutil
import subprocess
import sys

SKIP = 77
COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = "qemu-aarch64"


def run(*command):
    print("$", *command, flush=True)
    subprocess.run(command, check=True)


def generator_of(make_program):
    return "Ninja" if "ninja" in os.path.basename(make_program) else "Unix Makefiles"


def main(cmake, make_program, source, build, inputs, definitions):
    if shutil.which(COMPILER) is None:
        print(f"no {COMPILER}: not compiled")
        return SKIP
    launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    run(cmake, "-G", generator_of(make_program), f"-DCMAKE_MAKE_PROGRAM={make_program}", "-S", source, "-B", build, "-DCMAKE_BUILD_TYPE=Release",
        "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", f"-DCMAKE_CXX_COMPILER={COMPILER}",
        *launcher, *definitions)
    run(cmake, "--build", build, "--target", "accuracy")
    if shutil.which(EMULATOR) is None:
        print(f"compiled; no {EMULATOR}: not run")
        return SKIP
    command = [EMULATOR, os.path.join(build, "accuracy"), inputs]
    print("$", *command, flush=True)
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    print(output)
    if "neon64 single" not in output:
        print("the kernels of neon64 did not run")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:6], sys.argv[6:]))
