"""Kernels call nothing that could allocate, lock or throw: the objects ask the linker for a few functions of libc and
libm, and nothing else. Usage: check_kernel_symbols.py OBJECT...   (objects that are no kernels are passed over)"""
import re
import shutil
import subprocess
import sys

# __gxx_personality_v0 stands in the tables of every noexcept function: with it, an exception would end the program.
ALLOWED = {"__gxx_personality_v0", "_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail", "memcpy", "memmove", "memset", "expf",
           "erff", "tanhf", "sqrtf"}


def main():
    if not shutil.which("nm"):
        return 77
    kernels = [path for path in sys.argv[1:] if re.search(r"kernels/(sse2|avx2|avx512|neon64)\.cpp", path)]
    failed = not kernels
    for path in kernels:
        listing = subprocess.run(["nm", "--undefined-only", "--demangle", path], check=True, capture_output=True,
                                 text=True).stdout
        for name in {line.split(maxsplit=1)[1] for line in listing.splitlines()} - ALLOWED:
            print(f"{path} needs {name}")
            failed = True
    print(len(kernels), "kernels")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
