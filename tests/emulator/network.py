#!/usr/bin/env python3
"""Debian's kernel on the emulated machine talks over TCP with a server of this host, through the network in user mode.
Recorded, and replayed where neither the kernel nor the server is there any more: the same answers, the same chain of
hashes, by either executor; and gone back in, in the middle of the traffic. network.py --build FOLDER [--long]"""

import argparse
import os
import pathlib
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

import debian
import initrd
from transcripts import FAILED, check, fail, words

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEADLINE = 150  # of one run; the interpreter takes longer
DEADLINE_LONG = 1500
DRIVERS = ['virtio_mmio', 'virtio_blk', 'virtio-rng', 'failover', 'net_failover', 'virtio_net']
REQUESTS = 12  # as guest/fetch.c has it
START, FACTOR = 0xcbf29ce484222325, 0x100000001b3


class Server(socketserver.ThreadingTCPServer):
    """Answers each line with something that nobody could guess, of a length that grows, and keeps what it said."""

    daemon_threads = True

    def __init__(self):
        self.lines, self.answers = [], []
        super().__init__(('127.0.0.1', 0), Answer)
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    def end(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Answer(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode().strip()
        answer = os.urandom(1 + 6000 * len(self.server.answers))
        self.server.lines.append(line)
        self.server.answers.append(answer)
        self.wfile.write(answer)


def hashes(answers):
    """What the guest must have said of them: how many, how many bytes, and their hash (FNV-1a) so far."""
    told, received, value = [], 0, START
    for number, answer in enumerate(answers, 1):
        for byte in answer:
            value = (value ^ byte) * FACTOR & (1 << 64) - 1
        received += len(answer)
        told.append((str(number), str(received), f'{value:016x}'))
    return told


def run(command, what, folder):
    try:
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=DEADLINE_LONG if '--interpreter' in command else DEADLINE, check=False, text=True, errors='replace', cwd=folder).stdout
    except subprocess.TimeoutExpired as late:
        fail(what, f'did not end: {(late.output or b"").decode(errors="replace")}')
        return ''


def prompt(options, commands, what, *machine):
    return run([options.trapline, '-nx', '-q', '--batch', *words(commands), 'emu', *machine, '--serial', '-'], what, options.folder)


def guest_said(text):
    """All that the guest printed of its answers."""
    return re.findall(r'^answer: (\d+) (\d+) ([0-9a-f]{16})\s*$', text, re.M)


def chain(text):
    found = re.findall(r'chain ([0-9a-f]{16})', text)
    return found[-1] if found else 'none'


def recorded(options, path, harts):
    """A run with real traffic; what the guest said."""
    server = Server()
    text = prompt(options, ['continue', 'monitor info record'], 'recorded', '--network', '--record', path, '--harts', harts, '--kernel',
                  options.kernel / 'vmlinux', '--initrd', options.initrd, '--append', f'console=ttyS0 quiet -- {server.server_address[1]}')
    server.end()
    told = hashes(server.answers)
    what = f'recorded, {harts} hart(s)'
    check(text, [r'eth0: good', r'address: good', r'fetch: good', r'exited normally'], what)
    if len(told) != REQUESTS or guest_said(text) != told:
        fail(what, f'the guest got {guest_said(text)}, sent was {told}')
    if server.lines != [f'{START:016x}', *[value for _, _, value in told[:-1]]]:
        fail(what, f'the host got {server.lines}')
    return told


def replayed(options, path, told, executors):
    chains = set()
    for executor in executors:
        what = ' '.join(['replayed', *executor])
        text = prompt(options, ['continue', 'monitor info record'], what, '--replay', path, *executor)
        check(text, [r'fetch: good', r'exited normally', r'replayed: (\d+) of \1 epochs', r'is the run that was recorded'], what)
        if guest_said(text) != told:
            fail(what, f'the guest got {guest_said(text)}, once it was {told}')
        chains.add(chain(text))
    if len(chains) != 1 or chains & {'none', '0' * 16}:
        fail('the chain of hashes', f'it ends with {chains}')


BACK = ['tbreak *&answered if *(long *)&answers == 7', 'continue', 'printf "at %ld %ld %016lx\\n", *(long *)&answers, *(long *)&received, *(long *)&hash',
        'watch *(long *)&received', 'reverse-continue', 'reverse-continue', 'printf "was %ld\\n", *(long *)&received', 'delete',
        'break *&answered if *(long *)&answers == 3', 'reverse-continue',
        'printf "at %ld %ld %016lx\\n", *(long *)&answers, *(long *)&received, *(long *)&hash', 'delete', 'continue', 'monitor info record']


def gone_back_in(options, path, told):
    """Back from the eighth answer through its pieces to the fourth, and to the end again."""
    patterns = [rf'^at 7 {told[7][1]} {told[7][2]}$', rf'^Old value = {told[7][1]}$', r'^Old value = (\d+)', r'^was \d+$',
                rf'^at 3 {told[3][1]} {told[3][2]}$', r'exited normally', r'is the run that was recorded']
    text = prompt(options, [f'add-symbol-file {options.init}', *BACK], 'back', '--replay', path)
    check(text, patterns, 'gone back in, prompt')
    if shutil.which('gdb-multiarch') is None:
        print('skipped: gdb-multiarch is not installed')
        return
    serve = f'target remote | {options.trapline} --serve - --once emu --replay {path}'
    # A busy host is no reason to ask twice; and gdb cannot ask who has ended.
    text = run(['gdb-multiarch', '-nx', '-q', '-batch', *words(['set remotetimeout 100', serve, *BACK[:-1]]), options.init], 'back', options.folder)
    check(text, patterns[:-1], 'gone back in, gdb')


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0])
    parser.add_argument('--build', default='build')
    parser.add_argument('--kernel', help='a folder as debian.py makes it (default: the one of all builds)')
    parser.add_argument('--long', action='store_true', help='replay with the interpreter, too, and with several harts')
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    options.trapline = build / 'trapline'
    options.kernel = debian.kernel(options.kernel)
    options.init = initrd.compile_program(ROOT / 'tests/emulator/guest/fetch.c', build / 'tests/emulator/guest-fetch')
    files = {f'modules/{name}.ko': (options.kernel / f'modules/{name}.ko').read_bytes() for name in DRIVERS}
    options.initrd = initrd.make(build / 'tests/emulator/network.cpio', {'init': options.init.read_bytes(), **files})
    return options


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix='trapline-network-') as folder:
        options.folder = folder
        path = os.path.join(folder, 'run')
        for harts in ('1', '2') if options.long else ('1',):
            told = recorded(options, path, harts)
            if FAILED:
                break
            replayed(options, path, told, ([], ['--interpreter']) if options.long else ([],))
            gone_back_in(options, path, told)
    print(f'{len(FAILED)} failed')
    return len(FAILED) != 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except debian.Missing as why:
        sys.exit(f'network.py: {why}')
