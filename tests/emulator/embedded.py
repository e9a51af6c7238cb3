#!/usr/bin/env python3
"""docs/EMBEDDED.md shows what happens: its commands, in their order, print what the page says they do.

    embedded.py BUILD            compares
    embedded.py BUILD --write    puts what they print today into the page

Addresses may differ, as long as what is the same on the page is the same here.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from session import Client, DEADLINE, Silent

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/EMBEDDED.md'
SOURCE = ROOT / 'samples/station.c'
PROMPTS = ('(trapline) ', '(gdb) ')
SESSIONS = ('$ build/trapline -q', '$ gdb-multiarch ')
MENDED = 'make && '
WARNING = 'The past was changed'  # comes when it comes
LEAST = 20  # commands on the page


class Wrong(Exception):
    """The page does not show what happens."""


def blocks(lines):
    """The page's indented blocks that have commands: (number of the first line, the lines without the indent)."""
    found = []
    for number, line in enumerate(lines):
        inside = number + 1 < len(lines) and lines[number + 1].startswith('    ') and found and \
            found[-1][0] + len(found[-1][1]) == number
        if not line.startswith('    ') and not (line == '' and inside):
            continue
        if not found or found[-1][0] + len(found[-1][1]) != number:
            found.append((number, []))
        found[-1][1].append(line[4:])
    return [block for block in found if block[1][0].startswith(('$ ', *PROMPTS))]


def commands(lines):
    """Of a block: each command with its prompt, and the lines behind it."""
    pairs = []
    for line in lines:
        if line.startswith(('$ ', *PROMPTS)):
            pairs.append((line, []))
        else:
            pairs[-1][1].append(line)
    return pairs


def normal(text, addresses):
    """Without what may differ: addresses are numbered as they come."""
    text = re.sub(r'\S*samples/station\.c', 'samples/station.c', text)
    text = re.sub(r'<(\w+)\+\d+>', r'<\1+N>', text)
    text = re.sub(r'\b(\w+) \+ \d+ in section', r'\1 + N in section', text)
    return re.sub(r'0x[0-9a-f]{8,}', lambda found: addresses.setdefault(found[0], f'@{len(addresses)}'), text)


def mend(build, folder):
    """The program with the page's change, built as the build folder builds it."""
    source = SOURCE.read_text()
    lines = re.search(r'```diff\n@@\n(.*?)```', PAGE.read_text(), re.S)[1].splitlines(keepends=True)
    before = ''.join(line[1:] for line in lines if line[0] != '+')
    after = ''.join(line[1:] for line in lines if line[0] != '-')
    if source.count(before) != 1:
        raise Wrong(f'not once in {SOURCE}:\n{before}')
    (folder / 'station.c').write_text(source.replace(before, after))
    built = subprocess.run(['ninja', '-C', build, '-t', 'commands', 'samples/station'], stdout=subprocess.PIPE, text=True, check=True,
                           timeout=DEADLINE).stdout.splitlines()[-1]
    words = [word for word in shlex.split(built) if word not in ('--internal',)]
    words = [str(folder / 'station.c') if word.endswith('samples/station.c') else word for word in words]
    words[words.index('-o') + 1] = str(folder / 'mended')
    subprocess.run(words, cwd=build, check=True, timeout=DEADLINE)


class Replay:
    def __init__(self, build, folder):
        self.build, self.folder, self.client = build, folder, None

    def shell(self, line):
        if line.startswith(MENDED):
            mend(self.build, self.folder)
            line = line.removeprefix(MENDED).replace('build/samples/station', f'{self.folder}/mended')
        line = re.sub(r'\bbuild/', f'{self.build}/', line)
        return subprocess.run(['/bin/sh', '-c', line], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              timeout=DEADLINE, stdin=subprocess.DEVNULL).stdout

    def start(self, line):
        words = [re.sub(r'(^| )build/', rf'\1{self.build}/', word) for word in shlex.split(line)]
        self.close()
        self.client = Client([words[0], '-nx', *words[1:]], ROOT)
        self.client.ask('set width 0')

    def run(self, line):
        """The lines that a command prints; None where it is only a beginning."""
        if line.startswith(SESSIONS):
            self.start(line[2:])
            return None
        if line.startswith('$ '):
            return self.shell(line[2:]).splitlines()
        shown = self.client.ask(line[line.index(' ') + 1:])
        return [re.sub(r'^(\((trapline|gdb)\) )+', '', text).rstrip().expandtabs(8) for text in shown.splitlines()]

    def close(self):
        if self.client is not None:
            self.client.close()


def tidy(lines):
    """Empty lines at either end are of no interest."""
    lines = [line.replace('\r', '') for line in lines]
    while lines and lines[0].strip() in ('', *(prompt.strip() for prompt in PROMPTS)):
        lines = lines[1:]
    while lines and lines[-1].strip() == '':
        lines = lines[:-1]
    return lines


def compare(replay, lines):
    on_page, here, count = {}, {}, 0
    for number, block in blocks(lines):
        for line, shown in commands(block):
            printed = replay.run(line)
            if printed is None:
                continue
            shown = [normal(text, on_page) for text in tidy(shown) if WARNING not in text]
            printed = [normal(text, here) for text in tidy(printed) if WARNING not in text]
            if shown != printed:
                raise Wrong(f'{PAGE.name}, block at line {number + 1}: {line}\n  the page:\n    ' + '\n    '.join(shown) +
                            '\n  printed:\n    ' + '\n    '.join(printed))
            count += 1
    if replay.client is None or WARNING not in replay.client.text:
        raise Wrong('nobody said that the past was changed')
    if count < LEAST:
        raise Wrong(f'{PAGE.name} has only {count} commands')
    print(f'{count} commands print what {PAGE.name} shows')


def write(replay, lines):
    result, at = [], 0
    for number, block in blocks(lines):
        result += lines[at:number]
        for line, _ in commands(block):
            printed = replay.run(line)
            result.append('    ' + line.rstrip())
            result += [('    ' + text).rstrip() for text in tidy(printed or [])]
        at = number + len(block)
    PAGE.write_text('\n'.join([*result, *lines[at:]]) + '\n')


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    lines = PAGE.read_text().splitlines()
    with tempfile.TemporaryDirectory(prefix='trapline-embedded-') as folder:
        replay = Replay(build, pathlib.Path(folder))
        try:
            (write if '--write' in sys.argv else compare)(replay, lines)
        except (Wrong, Silent) as why:
            print(why)
            return 1
        finally:
            replay.close()
    return 0


if __name__ == '__main__':
    os.environ['TERM'] = 'dumb'
    sys.exit(main())
