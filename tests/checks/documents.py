#!/usr/bin/env python3
"""Links in the documents lead somewhere, docs/README.md names every document, every package has its reason, and the guide to
targets knows every operation."""

import re
import sys

from files import ROOT, tracked

LINK = re.compile(r'\[[^\]]*\]\(([^)\s]+)\)')


def broken_links(name, text, exists):
    for number, line in enumerate(text.split('\n'), 1):
        for link in LINK.findall(line):
            target = link.split('#')[0]
            if target and not re.match(r'[a-z]+:', target) and not exists((ROOT / name).parent / target):
                yield f'{name}:{number}: {link} leads nowhere'


def operations(header):
    """The members of struct tl_target_ops that are called, and of the request that a thread is resumed with."""
    body = re.search(r'^struct tl_target_ops \{(.*?)^\};', header, re.MULTILINE | re.DOTALL)[1]
    request = re.search(r'^struct tl_run_request \{(.*?)^\};', header, re.MULTILINE | re.DOTALL)[1]
    return re.findall(r'\(\*(\w+)\)\(struct tl_target \*', body) + re.findall(r'^\t(?:bool|tl_i32) (\w+);', request, re.MULTILINE)


def untold(header, text):
    return [name for name in operations(header) if f'`{name}`' not in text]


def main():
    found = []
    names = tracked('*.md')
    index = (ROOT / 'docs/README.md').read_text()
    for name in names:
        found += broken_links(name, (ROOT / name).read_text(), lambda path: path.exists())
        if name.startswith('docs/') and name != 'docs/README.md' and name.removeprefix('docs/') not in index:
            found.append(f'docs/README.md: does not name {name}')
    guide = 'docs/HOWTO_ADD_A_TARGET.md'
    for name in untold((ROOT / 'core/engine/target.h').read_text(), (ROOT / guide).read_text()):
        found.append(f'{guide}: says nothing of {name}, which core/engine/target.h has')
    reasons = (ROOT / 'docs/DEPENDENCIES.md').read_text()
    for line in (ROOT / 'tools/packages.txt').read_text().splitlines():
        if not line.startswith('#') and f'`{line.split()[0]}`' not in reasons:
            found.append(f'docs/DEPENDENCIES.md: says nothing of the package {line.split()[0]}')
    print('\n'.join(found))
    print(f'{len(names)} documents: {len(found)} complaints')
    return bool(found) or not names


if __name__ == '__main__':
    sys.exit(main())
