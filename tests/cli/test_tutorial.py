#!/usr/bin/env python3
"""docs/TUTORIAL.md shows what happens: its commands, in their order, print what the page says they do.

    tests/cli/test_tutorial.py --write      puts what they print today into the page

Addresses, numbers of processes and the place of the build folder may differ, as long as what is the same on the page is the same here.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys

from harness import BUILD, PROMPT, DEADLINE, Failure, environment, holds, main

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/TUTORIAL.md'
MENDED = 'make && build/samples/words'
MACHINE = 'build/tests/emulator/bare'
QUESTION = '(y or n) '


def blocks(lines):
    """The page's indented blocks: (first line, lines without the indent)."""
    found = []
    for number, line in enumerate(lines):
        if line.startswith('    '):
            if not found or found[-1][0] + len(found[-1][1]) != number:
                found.append((number, []))
            found[-1][1].append(line[4:])
        elif line == '' and found and found[-1][0] + len(found[-1][1]) == number and \
                number + 1 < len(lines) and lines[number + 1].startswith('    '):
            found[-1][1].append('')
    return found


def commands(lines):
    """Of a block: pairs of a command with its prompt, "$ " or "(trapline) ", and the lines behind it."""
    pairs = []
    for line in lines:
        if line.startswith('$ ') or line.startswith(PROMPT):
            pairs.append((line, []))
        elif pairs:
            pairs[-1][1].append(line)
    for _, shown in pairs:
        while shown and shown[-1] == '':
            shown.pop()
    return pairs


class Normal:
    """Text in which what may differ has a name of its own: addresses are numbered as they come."""

    def __init__(self):
        self.addresses = {}

    def __call__(self, text):
        text = re.sub(r'\S*samples/words\.c', 'samples/words.c', text)
        text = re.sub(r'\S*emulator/bare\.c', 'emulator/bare.c', text)
        text = re.sub(r'(?<=program: )\S+', 'samples/words', text)
        text = re.sub(r'process \d+', 'process N', text)
        return re.sub(r'0x[0-9a-f]{3,}', lambda found: self.addresses.setdefault(found[0], f'@{len(self.addresses)}'),
                      text)


def mend(place):
    """Applies the page's change to a copy of the program; the command that runs it."""
    source = (ROOT / 'samples/words.c').read_text()
    for change in re.search(r'```diff\n(.*?)```', PAGE.read_text(), re.S)[1].split('@@\n'):
        lines = change.splitlines(keepends=True)
        before = ''.join(line[1:] for line in lines if line[0] != '+')
        after = ''.join(line[1:] for line in lines if line[0] != '-')
        if source.count(before) != 1:
            raise Failure(f'not once in samples/words.c:\n{before}')
        source = source.replace(before, after)
    place.write('words.c', source)
    subprocess.run([*shlex.split(os.environ.get('CC', 'cc')), '-o', 'words', 'words.c'], check=True, cwd=place.home,
                   timeout=DEADLINE)
    return str(place.home / 'words')


def run_shell(place, line):
    """What a line of the shell prints."""
    if line.startswith(MENDED):
        line = line.replace(MENDED, mend(place))
    line = re.sub(r'\bbuild/', f'{BUILD}/', line)
    return subprocess.run(['/bin/sh', '-c', line], cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE,
                          env=environment(place.home), stdin=subprocess.DEVNULL).stdout.splitlines()


class Prompt:
    """The prompt on the program, and what each command prints there; questions are answered by y."""

    def __init__(self, place, line):
        words = [word.replace('build/', f'{BUILD}/') for word in shlex.split(line)]
        self.terminal = place.terminal(*words[1:], rows=100, columns=200, cwd=ROOT)
        self.terminal.prompt()

    def greeting(self):
        return self.terminal.screen.whole().splitlines()[:-1]

    def ends_with(self, screen, before):
        line = screen.cursor_line()
        return len(screen.lines) > before and (line == PROMPT or line.endswith(QUESTION))

    def __call__(self, command):
        terminal, screen = self.terminal, self.terminal.screen
        before = len(screen.lines)
        terminal.type(command)
        terminal.wait_for(lambda screen: screen.cursor_line().endswith(command[-20:]))
        terminal.type('\n')
        if command == 'quit':
            # An earlier question may still be on the screen.
            terminal.wait_for(lambda screen: screen.cursor_line().endswith(QUESTION))
            terminal.type('y\n')
            if terminal.end() != 0:
                raise Failure(f'the exit status is {terminal.status}')
            return '\n'.join(''.join(line).rstrip() for line in screen.lines[before:]).rstrip().splitlines()
        terminal.wait_for(lambda screen: self.ends_with(screen, before))
        if screen.cursor_line() != PROMPT:
            question = len(screen.lines)
            terminal.type('y\n')
            terminal.wait_for(lambda screen: len(screen.lines) > question and screen.cursor_line() == PROMPT)
        return [''.join(line).rstrip() for line in screen.lines[before:-1]]


def replay(place, lines):
    """For each command of the page: (number of its first line, the command, lines shown, lines printed)."""
    prompt = None
    for number, block in blocks(lines):
        for line, shown in commands(block):
            if line.startswith(PROMPT):
                printed = prompt(line.removeprefix(PROMPT))
            elif line.startswith('$ build/trapline -q'):
                prompt = Prompt(place, line[2:])
                printed = prompt.greeting()
            elif line.endswith(MACHINE) and not (BUILD / MACHINE.removeprefix('build/')).exists():
                printed = shown  # there is no compiler for it here
            else:
                printed = run_shell(place, line[2:])
            yield number, line, shown, printed


def test_the_page_shows_what_happens(place):
    on_page, here = Normal(), Normal()
    count = 0
    for number, line, shown, printed in replay(place, PAGE.read_text().splitlines()):
        shown, printed = [on_page(text) for text in shown], [here(text) for text in printed]
        if line.startswith('$ build/trapline -q'):
            continue
        if shown != printed:
            raise Failure(f'{PAGE.name}, block at line {number + 1}: {line}\n  the page:\n    ' + '\n    '.join(shown) +
                          '\n  printed:\n    ' + '\n    '.join(printed))
        count += 1
    if count < 30:
        raise Failure(f'the page has only {count} commands')


def test_the_program_still_has_its_bug(place):
    holds('\n'.join(run_shell(place, 'build/samples/words samples/words.txt')), '36 different words, 22 in the table')


def write():
    """Puts what the commands print into the page."""
    from harness import Place
    place = Place()
    lines = PAGE.read_text().splitlines()
    written = [printed for _, _, _, printed in replay(place, lines)]
    place.close()
    result, inside = [], {}
    for number, block in blocks(lines):
        inside[number] = len(block)
        text = []
        for line, shown in commands(block):
            printed = written.pop(0)
            if line.startswith('$ build/trapline -q'):
                printed = shown
            text += [line, *(part.replace(str(BUILD.parent), '…') for part in printed)]
        inside[number] = (len(block), text)
    number = 0
    while number < len(lines):
        if number in inside:
            count, text = inside[number]
            result += ['    ' + line if line else '' for line in text]
            number += count
        else:
            result.append(lines[number])
            number += 1
    PAGE.write_text('\n'.join(result) + '\n')


if __name__ == '__main__':
    if sys.argv[1:] == ['--write']:
        sys.exit(write())
    sys.exit(main(sys.modules[__name__]))
