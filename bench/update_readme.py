#!/usr/bin/env python3
"""Puts a file's content between the markers of bench/README.md.

usage: update_readme.py TABLES.md README.md
"""

import os
import sys

BEGIN = "<!-- tables: begin (tools/bench writes what follows) -->\n"
END = "<!-- tables: end -->\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tables_path, readme_path = sys.argv[1:]
    with open(tables_path, encoding="utf-8") as file:
        tables = file.read().strip()
    with open(readme_path, encoding="utf-8") as file:
        readme = file.read()
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        sys.exit(f"update_readme: error: {readme_path} must hold each of these lines once, in this order:\n{BEGIN}{END}")
    before, rest = readme.split(BEGIN)
    after = rest.split(END)[1]
    # Whole or not at all.
    temporary = readme_path + ".new"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{tables}\n\n{END}{after}")
    os.replace(temporary, readme_path)


if __name__ == "__main__":
    main()
