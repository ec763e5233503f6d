"""Every script of tools/ tells what it is for when it is asked, and does nothing else then; the manual names it.

usage: check_scripts.py SOURCE_FOLDER
"""
import os
import pathlib
import subprocess
import sys


def main():
    failures = []
    tools = pathlib.Path(sys.argv[1], "tools")
    manual = (tools / "README.md").read_text()
    for script in sorted(tools.iterdir()):
        if not script.is_file() or not os.access(script, os.X_OK):
            continue
        if f"| `{script.name}` |" not in manual:
            failures.append(f"{script.name} is missing in the table of tools/README.md")
        for option in ("--help", "-h"):
            run = subprocess.run([script, option], capture_output=True, text=True, timeout=20, check=False)
            if run.returncode != 0 or run.stderr or not 50 < len(run.stdout) < 2000:
                failures.append(f"{script.name} {option}: status {run.returncode}, {run.stderr}{run.stdout}")
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
