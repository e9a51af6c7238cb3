#!/usr/bin/env python3
"""The checks themselves: each complains where it should, and only there."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import comments  # noqa: E402
import documents  # noqa: E402
import freestanding  # noqa: E402
import layers  # noqa: E402
import words  # noqa: E402


class Layers(unittest.TestCase):
    def complain(self, path, include, exists=True):
        return layers.complaint(path, include[0], include[1:-1], lambda name: exists)

    def test_allowed(self):
        for path, include in [('core/a.c', '"core/b.h"'), ('base/a.c', '"core/b.h"'), ('base/a.c', '<elf.h>'),
                              ('targets/process/a.c', '"base/b.h"'), ('targets/process/a.c', '"targets/process/b.h"'),
                              ('targets/process/a.c', '"targets/common.h"'), ('frontends/serve/a.c', '"targets/p/b.h"'),
                              ('frontends/main.c', '"frontends/serve/b.h"'), ('tests/unit/a.c', '"frontends/x/b.h"'),
                              ('stubs/linux/a.c', '"core/b.h"'), ('debugger/session/a.c', '"debugger/values/b.h"'),
                              ('debugger/stack/a.c', '"debugger/stack/b.h"')]:
            self.assertIsNone(self.complain(path, include), (path, include))

    def test_refused(self):
        for path, include in [('core/a.c', '<stdint.h>'), ('core/a.c', '"base/b.h"'), ('base/a.c', '"targets/b.h"'),
                              ('targets/process/a.c', '"targets/kvm/b.h"'), ('targets/a.c', '"targets/kvm/b.h"'),
                              ('targets/process/a.c', '"frontends/serve/b.h"'), ('stubs/linux/a.c', '"base/b.h"'),
                              ('frontends/serve/a.c', '"frontends/dap/b.h"'), ('base/a.c', '"tests/unit/test.h"'),
                              ('debugger/stack/a.c', '"debugger/values/b.h"'),
                              ('debugger/values/a.c', '"debugger/session/b.h"')]:
            self.assertIsNotNone(self.complain(path, include), (path, include))
        self.assertIsNotNone(self.complain('core/a.c', '"b.h"', exists=False))

    def test_every_way_to_write_it_is_seen(self):
        text = '#include <a.h>\n  #  include "b.h"\n//#include <c.h>\n'
        self.assertEqual([match[2] for match in layers.INCLUDE.finditer(text)], ['a.h', 'b.h'])


class Freestanding(unittest.TestCase):
    def test_symbols(self):
        good = [('a.o', 'T', 'tl_a'), ('a.o', 't', 'local'), ('b.o', 'U', 'tl_a'), ('b.o', 'U', 'memcpy')]
        self.assertEqual(freestanding.complaints(good, []), [])
        self.assertEqual(len(freestanding.complaints([('a.o', 'U', 'strlen')], [])), 1)
        self.assertEqual(len(freestanding.complaints([('a.o', 'U', '__stack_chk_fail')], [])), 1)
        self.assertEqual(len(freestanding.complaints([('a.o', 'D', 'state')], [])), 1)

    def test_sections(self):
        good = [('a.o', '.text', 9, 'CONTENTS, ALLOC, LOAD, READONLY, CODE'), ('a.o', '.data', 0, 'ALLOC, LOAD, DATA'),
                ('a.o', '.data.rel.ro.local', 8, 'CONTENTS, ALLOC, LOAD, RELOC, DATA'), ('a.o', '.debug', 9, 'READONLY')]
        self.assertEqual(freestanding.complaints([], good), [])
        for name in ('.data', '.bss', '.tbss', '.data.rel.local', '.data.counter'):
            self.assertEqual(len(freestanding.complaints([], [('a.o', name, 4, 'CONTENTS, ALLOC, LOAD, DATA')])), 1, name)


class Comments(unittest.TestCase):
    def test_said(self):
        self.assertEqual(comments.complaints('/* Adds. */\nint tl_add(int a);\nint tl_add_all(int *a,\n\tint n);\n'), [])
        self.assertEqual(comments.complaints('struct a {\n\tint (*tl_call)(int);\n\n\tint b;\n};\n'), [])
        self.assertEqual(comments.complaints('/*\n * Two\n *\n * lines.\n */\nTL_CHECKED enum x tl_f(void);\n'), [])

    def test_said_with_its_type(self):
        self.assertEqual(comments.complaints('/* One. */\nstruct a {\n\tint b;\n};\n\nint tl_a(void);\n'), [])
        self.assertEqual(comments.complaints('struct a {\n\tint b;\n};\n\nint tl_a(void);\n'), [(5, 'tl_a')])

    def test_public(self):
        texts = {'core/a.h': '', 'core/b.h': '', 'core/x/c.h': '', 'core/a.c': '#include "core/a.h"\n#include "core/b.h"',
                 'core/x/d.c': '#include "core/a.h"\n#include "core/x/c.h"', 'tests/e.c': '#include "core/b.h"'}
        self.assertEqual(comments.public_headers(texts), ['core/a.h'])

    def test_not_said(self):
        self.assertEqual(comments.complaints('/* Adds. */\n\nint tl_add(int a);\n'), [(3, 'tl_add')])
        self.assertEqual(comments.complaints('static inline int tl_one(void)\n{\n\treturn 1;\n}\n'), [(1, 'tl_one')])
        self.assertEqual(comments.complaints('TL_CHECKED enum x\ntl_far(void);\n'), [(1, 'tl_far')])


class Words(unittest.TestCase):
    def test_words(self):
        self.assertEqual(words.complaints('to do nothing\na /workshop/ b\nhttp://x.org/homes/\n'), [])
        self.assertEqual([line for line, _ in words.complaints('/* TO' + 'DO */\nx = "/wo' + 'rk/a"\nend \n')], [1, 2, 3])


class Documents(unittest.TestCase):
    def test_links(self):
        text = '[a](there.md#x) [b](gone.md) [c](https://x) [d](#here)'
        self.assertEqual(len(list(documents.broken_links('docs/a.md', text, lambda path: path.name == 'there.md'))), 1)

    def test_operations_of_targets_are_told(self):
        header = ('struct tl_run_request {\n\ttl_i32 signal; /* … */\n\tbool awake;\n};\nstruct tl_target_ops {\n\ttl_u32 version;\n'
                  '\tenum tl_status (*stop)(struct tl_target *target);\n\tvoid (*go_on)(struct tl_target *target,\n\t\tint x);\n};\n')
        self.assertEqual(documents.operations(header), ['stop', 'go_on', 'signal', 'awake'])
        self.assertEqual(documents.untold(header, '`stop` `signal` awake `go_on`'), ['awake'])


if __name__ == '__main__':
    unittest.main()
