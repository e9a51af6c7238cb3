#!/usr/bin/env python3
"""Writes the README's matrix from the results of run.py --json.

    tests/conformance/matrix.py [--keep] README.md RESULTS.json...

The table stands between <!-- matrix:begin --> and <!-- matrix:end -->: a row for each rung of the ladder, a column for each
target and front end. A cell says how many scenarios passed of those that the target is meant to do; a bare number is a
rung in which all did. With --keep, columns that no results are given for stay as they are: not every machine has everything.
"""

import json
import re
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


def kept(text):
    """What a table says: ({column: its cells}, {where the columns were found})."""
    lines = [[word.strip() for word in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    if len(lines) != len(ROWS) + 2:
        return {}, set()
    columns = {name: [line[at] for line in lines[2:]] for at, name in enumerate(lines[0]) if at > 0}
    return columns, set(re.findall(r"\d{4}-\d\d-\d\d \(\w+\)", text))


def table(documents, columns, places):
    for document in documents:
        columns[f"{document['target']} × {document['front_end']}"] = [cell(document["results"], rung) for rung, _ in ROWS]
    places = places | {f"{document['date']} ({document['machine']})" for document in documents}
    lines = ["| | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    for at, (_, title) in enumerate(ROWS):
        lines.append(f"| {title} | " + " | ".join(cells[at] for cells in columns.values()) + " |")
    lines.append("")
    lines.append("Conformance scenarios passed, as `tests/conformance/run.py` found them on " + ", ".join(sorted(places)) + ".")
    return "\n".join(lines)


def main():
    words = [word for word in sys.argv[1:] if word != "--keep"]
    if len(words) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    documents = []
    for path in words[1:]:
        with open(path, encoding="utf-8") as file:
            documents.append(json.load(file))
    with open(words[0], encoding="utf-8") as file:
        text = file.read()
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        print(f"{words[0]} has no {BEGIN} … {END}", file=sys.stderr)
        return 1
    before = kept(text[begin:end]) if "--keep" in sys.argv else ({}, set())
    with open(words[0], "w", encoding="utf-8") as file:
        file.write(text[:begin] + BEGIN + "\n" + table(documents, *before) + "\n" + text[end:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
