#!/usr/bin/env python3
"""The dependency law: which folder may include what.

An include goes down the list of layers or stays where it is. core/ includes nothing but core/, not even a header of the
compiler. Targets do not see each other, and front ends do not either. A file that stands directly in targets/ or
frontends/ is common to all that stand beside it; a file directly in frontends/ may also join them all. The parts of
debugger/ are layers of their own.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
# From the bottom up. stubs/ stands on core/ alone; tests and the bench may look at everything.
LAYERS = ['core', 'base', 'machine', 'targets', 'symbols', 'debugger', 'frontends']
PARTS = {'debugger': ['modules', 'stack', 'code', 'values', 'expressions', 'session']}  # layers inside a layer
FREE = {'tests', 'bench'}
SPLIT = {'targets', 'frontends'}  # layers whose parts must not see each other


def complaint(path, kind, name, exists):
    """Why this file must not include that, or None. Paths are relative to the root."""
    parts, wanted = path.split('/'), name.split('/')
    layer = parts[0]
    if kind == '<':
        return 'core/ is freestanding: it includes nothing with <>' if layer == 'core' else None
    if layer in FREE:
        return None
    if not exists(name):
        return 'quoted includes are written from the root of the tree, and this is not there'
    if layer == 'stubs':
        allowed = {'core', 'stubs'}
    elif layer in LAYERS:
        allowed = set(LAYERS[:LAYERS.index(layer) + 1])
    else:
        return None
    if wanted[0] not in allowed:
        return f'{layer}/ may include {", ".join(sorted(allowed))} only'
    if wanted[0] == layer and layer in PARTS and len(parts) > 2 and len(wanted) > 2:
        below = PARTS[layer][:PARTS[layer].index(parts[1]) + 1] if parts[1] in PARTS[layer] else []
        if wanted[1] not in below:
            return f'{layer}/{parts[1]} must not know {layer}/{wanted[1]}: it stands above, or is not in the list of parts'
    if wanted[0] == layer and layer in SPLIT and len(wanted) > 2:
        if len(parts) > 2 and parts[1] != wanted[1]:
            return f'{layer}/{parts[1]} must not know {layer}/{wanted[1]}'
        if len(parts) == 2 and layer == 'targets':
            return f'what all targets share must not know {layer}/{wanted[1]}'
    return None


def main():
    failures = 0
    files = 0
    for layer in LAYERS + ['stubs']:
        for path in sorted((ROOT / layer).rglob('*.[chS]')):
            files += 1
            text = path.read_text()
            relative = str(path.relative_to(ROOT))
            for match in INCLUDE.finditer(text):
                why = complaint(relative, match[1], match[2], lambda name: (ROOT / name).is_file())
                if why:
                    line = text.count('\n', 0, match.start(2)) + 1
                    print(f'{relative}:{line}: {match[0].strip()}: {why}')
                    failures += 1
    print(f'{files} files: {failures} includes against the law (docs/ARCHITECTURE.md)')
    return failures != 0 or files == 0


if __name__ == '__main__':
    sys.exit(main())
