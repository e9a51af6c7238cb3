#!/usr/bin/env python3
"""Writes the README's matrix from the results of run.py --json.

    tests/conformance/matrix.py README.md RESULTS.json...

The table stands between <!-- matrix:begin --> and <!-- matrix:end -->: a row for each rung of the ladder, a column for each
target and front end. A cell says how many scenarios passed of those that the target is meant to do; a bare number is a
rung in which all did.
"""

import json
import sys

BEGIN, END = "<!-- matrix:begin -->", "<!-- matrix:end -->"
ROWS = (("look", "attach and look"), ("run", "run, stop, signals"), ("breakpoints", "breakpoints, conditions"),
        ("hardware", "hardware points, watchpoints"), ("threads", "threads one by one, non-stop"), ("step", "steps"),
        ("lifetime", "begin, fork, exec, end"), ("objects", "auxv, siginfo, memory map"), ("reverse", "go back"))


def cell(results, rung):
    results = [result["result"] for result in results if result["rung"] == rung]
    passed, failed = results.count("passed"), results.count("failed")
    if passed + failed == 0:
        return "–"
    return f"{passed}" if failed == 0 else f"{passed} of {passed + failed}"


def table(documents):
    lines = ["| | " + " | ".join(f"{d['target']} × {d['front_end']}" for d in documents) + " |",
             "| --- |" + " ---: |" * len(documents)]
    for rung, title in ROWS:
        lines.append(f"| {title} | " + " | ".join(cell(d["results"], rung) for d in documents) + " |")
    lines.append("")
    lines.append("Conformance scenarios passed, as `tests/conformance/run.py` found them on "
                 + ", ".join(sorted({f"{d['date']} ({d['machine']})" for d in documents})) + ".")
    return "\n".join(lines)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    documents = []
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as file:
            documents.append(json.load(file))
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        print(f"{sys.argv[1]} has no {BEGIN} … {END}", file=sys.stderr)
        return 1
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(text[:begin] + BEGIN + "\n" + table(documents) + "\n" + text[end:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
