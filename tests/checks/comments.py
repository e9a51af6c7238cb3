#!/usr/bin/env python3
"""Every public function is said something about: above its declaration in a header stands a comment.

Declarations that follow one another without an empty line share the comment above the first of them, and a function
right behind a type that a comment explains is explained with it. A header is public when a file of another folder, tests
apart, includes it.
"""

import posixpath
import re
import sys

from files import ROOT, tracked

DECLARATION = re.compile(r'^[A-Za-z_][^;{}#=]*?\b(tl_\w+)\s*\(', re.DOTALL)


def blocks(text):
    """Runs of lines at file level without an empty line between, each with its first line's number."""
    block, first, depth, in_comment = [], 1, 0, False
    for number, line in enumerate(text.split('\n') + [''], 1):
        inside = depth > 0 or in_comment
        if line.strip() == '' and not inside:
            if block:
                yield first, block
            block = []
            continue
        if not block:
            first = number
        block.append(line)
        code = re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', '', line)
        if in_comment:
            in_comment = '*/' not in line
            continue
        in_comment = '/*' in code
        depth += code.count('{') - code.count('}')
        depth = max(depth, 0)


def complaints(text):
    """Line and name of every function that nothing is said about."""
    found = []
    explained = False  # the block before this one was a type with a comment
    for first, block in blocks(text):
        commented, explained = explained, False
        depth = 0
        in_comment = False
        for offset, line in enumerate(block):
            if in_comment or line.lstrip().startswith('/*'):
                in_comment = '*/' not in line
                commented = True
                continue
            if depth == 0 and not line.startswith(('#', '\t', ' ', '}')) and not line.startswith('typedef'):
                match = DECLARATION.match(line + ' ' + (block[offset + 1] if offset + 1 < len(block) else ''))
                if match and match[1] != 'tl_' and not commented and 'struct' != match[1]:
                    found.append((first + offset, match[1]))
            depth = max(depth + line.count('{') - line.count('}'), 0)
        explained = block[0].lstrip().startswith('/*') and block[-1] == '};'
    return found


def public_headers(texts):
    """The headers that are included from outside their folder; `texts` is {name: text} of every C file."""
    public = set()
    for name, text in texts.items():
        if not name.startswith(('tests/', 'bench/')):
            public |= {header for header in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE)
                       if posixpath.dirname(header) != posixpath.dirname(name)}
    return sorted(public & texts.keys())


def main():
    failures = functions = 0
    for name in public_headers({name: (ROOT / name).read_text() for name in tracked('*.c', '*.h')}):
        text = (ROOT / name).read_text()
        functions += len(re.findall(r'^\w[^;{}#=\n]*\btl_\w+\s*\(', text, re.MULTILINE))
        for line, function in complaints(text):
            print(f'{name}:{line}: {function}: say above it what it does, its units, ownership and errors')
            failures += 1
    print(f'{functions} declarations: {failures} without a comment')
    return failures != 0 or functions == 0


if __name__ == '__main__':
    sys.exit(main())
