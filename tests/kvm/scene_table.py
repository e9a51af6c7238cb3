#!/usr/bin/env python3
"""Writes the table of scenes that passed on a real KVM from what run.py printed.

    tests/kvm/scene_table.py docs/TESTS_ON_KVM.md LOG...

It stands between <!-- scenes:begin --> and <!-- scenes:end -->: a row for each scene, a column for each number of processors; a
cell has the seconds that it took, as the machine around the guest counts them. What a later log says counts.
"""

import pathlib
import re
import sys

BEGIN, END = '<!-- scenes:begin -->', '<!-- scenes:end -->'
LINE = re.compile(r'(ok|FAILED|skipped) (\w+) with (\d+) \(([\d.]+) s\)')


def read(paths):
    """{scene: {processors: cell}}, in the order in which they came."""
    found = {}
    for path in paths:
        for result, name, cpus, seconds in LINE.findall(pathlib.Path(path).read_text(encoding='utf-8', errors='replace')):
            cell = {'ok': f'{float(seconds):.2f}', 'FAILED': 'fails', 'skipped': '–'}[result]
            found.setdefault(name, {})[int(cpus)] = cell
    return found


def table(found):
    counts = sorted({cpus for cells in found.values() for cpus in cells})
    lines = ['| scene | ' + ' | '.join(f'{cpus} vCPU{"s" * (cpus > 1)}' for cpus in counts) + ' |', '| --- |' + ' ---: |' * len(counts)]
    for name, cells in found.items():
        if set(cells.values()) == {'–'}:  # a part of its own
            continue
        lines.append(f'| {name.replace("_", " ")} | ' + ' | '.join(cells.get(cpus, '') for cpus in counts) + ' |')
    return '\n'.join(lines)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    page = pathlib.Path(sys.argv[1])
    text = page.read_text(encoding='utf-8')
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        print(f'{page} has no {BEGIN} … {END}', file=sys.stderr)
        return 1
    page.write_text(text[:begin] + BEGIN + '\n' + table(read(sys.argv[2:])) + '\n' + text[end:], encoding='utf-8')
    return 0


if __name__ == '__main__':
    sys.exit(main())
