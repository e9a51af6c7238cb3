#!/usr/bin/env python3
"""c++filt as the referee of demangled names: all of C++'s own library, and those of a program made for the purpose.

    demangle_referee.py DEMANGLE OBJECT…       DEMANGLE is the test program tests/symbols/demangle

c++filt is asked without abbreviations spelled out, as gdb demangles. Two of its oddities are made good before
comparing: "A<B<int>>" where an empty pack of arguments follows, which it writes "> >" elsewhere, and the comma that
it leaves in front of an empty pack.
"""

import os
import re
import shutil
import subprocess
import sys


def names_of(path, *options):
    listed = subprocess.run(['nm', *options, path], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, timeout=60)
    words = (line.split()[-1] for line in listed.stdout.splitlines() if line.split())
    return {re.sub('@.*', '', word) for word in words if word.startswith('_Z')}


def filtered(command, names):
    result = subprocess.run(command, check=True, input='\n'.join(names) + '\n', stdout=subprocess.PIPE, text=True,
                            timeout=60, env={**os.environ, 'LC_ALL': 'C'})
    return result.stdout.splitlines()


def tidy(text):
    while '>>' in text and 'operator>>' not in text:
        text = text.replace('>>', '> >')
    return text.replace(', , ', ', ')


def compare(title, names, theirs, ours):
    assert len(theirs) == len(ours) == len(names), 'not a line for each name'
    different = [(name, their, our) for name, their, our in zip(names, theirs, ours)
                 if tidy(their) != tidy(our) and their != name]
    more = sum(their == name and our != name for name, their, our in zip(names, theirs, ours))
    agreement = 100 - 100 * len(different) / len(names)
    print(f'{title}: {len(names)} names, {agreement:.3f} % the same, {more} more that c++filt does not demangle')
    for name, their, our in different[:20]:
        print(f'  {name}\n    c++filt: {their}\n    ours:    {our}')
    return len(different)


def main():
    demangle, *objects = sys.argv[1:]
    if shutil.which('c++filt') is None:
        print('no c++filt: install binutils (make setup)')
        return 77
    names = set()
    library = '/usr/lib/x86_64-linux-gnu/libstdc++.so.6'
    if os.path.exists(library):
        names |= names_of(library, '-D')
    for path in objects:
        found = names_of(path)
        assert len(found) > 50, f'{path} has hardly a name of C++'
        names |= found
    names = sorted(names)
    failed = compare('whole', names, filtered(['c++filt', '-i'], names), filtered([demangle], names))
    failed += compare('without parameters', names, filtered(['c++filt', '-i', '-p'], names),
                      filtered([demangle, 'names'], names))
    print(f'{2 * len(names) - failed} passed, {failed} failed')
    return failed != 0


if __name__ == '__main__':
    sys.exit(main())
