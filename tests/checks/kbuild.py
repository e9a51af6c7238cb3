#!/usr/bin/env python3
"""core/ and the module compiled by Linux's own build system: kbuild.py FOLDER

It proves that nothing of core/ stands in the way of a kernel. The module is made, and loaded by tests/stub/linux.py. Needs
Debian's linux-headers-amd64; without it the test is skipped.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tools'))
import module  # pylint: disable=wrong-import-position,import-error


def main():
    headers = module.headers()
    if headers is None:
        print('no kernel headers: install linux-headers-amd64 (make setup)')
        return 77
    said, done = module.make(pathlib.Path(sys.argv[1]), headers)
    print(said)
    return not done


if __name__ == '__main__':
    sys.exit(main())
