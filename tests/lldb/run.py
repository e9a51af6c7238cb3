#!/usr/bin/env python3
"""The same lldb sessions through lldb-server and through trapline, and whether the transcripts agree.

A session is a file of lldb commands in sessions/. Its leading comment lines say how it begins:

    # arguments: WORD...   the server starts the subject with these arguments (the usual case)
    # attach: WORD...      the subject is started first, and the server attaches to it
    # connect              the server has no process: the session launches one
    # beside: WORD...      the same, and the subject runs: as process %PID%, in a file of its own that is called %NAME%
    # fast                 part of `make check`
    # differs: REGEX       lines that may differ, with the reason in the next comment
    # silent               what the subject prints is not compared, with the reason in the next comment

Numbers that differ from run to run (addresses, processes, threads, ports) are replaced by names in the order in which
they appear. What the subject prints ("OUT: ...") reaches lldb by other ways through the two servers; it is compared by
itself.
"""

import argparse
import difflib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / 'tools'))
import newer_lldb  # noqa: E402 pylint: disable=wrong-import-position

DEADLINE = 60

PREAMBLE = """\
settings set auto-confirm true
settings set use-color false
settings set stop-line-count-before 0
settings set stop-line-count-after 1
settings set symbols.enable-external-lookup false
settings set target.disable-aslr true
settings set plugin.process.gdb-remote.packet-timeout 20
"""


class Problem(Exception):
    """Something that keeps a session from being run."""


class Session:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        self.fast = self.silent = False
        self.how = 'arguments'
        self.arguments = ['plain']
        self.differs = []
        lines = path.read_text().splitlines()
        for line in lines:
            if not line.startswith('#'):
                break
            word, _, rest = line[1:].strip().partition(':')
            if word == 'fast':
                self.fast = True
            elif word in ('arguments', 'attach', 'connect', 'beside'):
                self.how = word
                self.arguments = rest.split()
            elif word == 'silent':
                self.silent = True
            elif word == 'differs':
                self.differs.append(re.compile(rest.strip()))
        self.commands = '\n'.join(line for line in lines if not line.startswith('#')) + '\n'


class Child:
    """A process in a session of its own, with its output in a file; it and its children end with us."""

    def __init__(self, words, output, environment, pass_fds=(), stdin=subprocess.DEVNULL):
        self.path = output
        self.words = [str(word) for word in words]
        with open(output, 'wb') as file:
            self.process = subprocess.Popen(self.words, stdin=stdin, stdout=file, stderr=subprocess.STDOUT,
                                            env=environment, start_new_session=True, pass_fds=pass_fds,
                                            cwd=output.parent)

    def text(self):
        return self.path.read_text(errors='replace')

    def wait_for(self, pattern, seconds):
        """Waits until the output has `pattern`; the match."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.text())
            if match is not None:
                return match
            if self.process.poll() is not None or time.monotonic() > end:
                raise Problem('%s did not say %r:\n%s' % (self.words[0], pattern, self.text()))
            select.select([], [], [], 0.01)

    def wait(self, seconds):
        """Its exit status; None when the deadline passed."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def free_environment(data):
    return {'PATH': '/usr/bin:/bin', 'HOME': str(data), 'LANG': 'C.UTF-8', 'TERM': 'dumb', 'LLDB_LOG': ''}


class LldbServer:
    name = 'lldb-server'

    def __init__(self, path, extra=None):
        self.path = path
        self.extra = extra or {}

    def start(self, session, subject, target, data, environment):
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        words = [self.path, 'gdbserver', '--pipe', str(writing)]
        if session.how == 'attach':
            words += ['--attach', str(target.process.pid)]
        words.append('127.0.0.1:0')
        if session.how == 'arguments':
            words += ['--', subject] + session.arguments
        child = Child(words, data / 'server.txt', dict(environment, **self.extra), pass_fds=(writing,))
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], 20)
        text = os.read(reading, 64) if ready else b''
        os.close(reading)
        if not text:
            child.end()
            raise Problem('lldb-server gave no port:\n' + child.text())
        return child, int(text.strip(b'\0 \n'))


class Trapline:
    name = 'trapline'

    def __init__(self, path):
        self.path = path

    def start(self, session, subject, target, data, environment):
        words = [self.path, '--serve', '127.0.0.1:0', '--once']
        if os.environ.get('TRAPLINE_TRACE'):
            words += ['--trace', os.environ['TRAPLINE_TRACE']]
        if session.how == 'attach':
            words += ['attach', str(target.process.pid)]
        elif session.how == 'arguments':
            words += [subject] + session.arguments
        else:
            words.insert(4, '--multi')
        child = Child(words, data / 'server.txt', environment)
        try:
            match = child.wait_for(r'(?i)listening on .*?port (\d+)|Listening on \S*:(\d+)', 20)
        except Problem:
            child.end()
            raise
        return child, int(match.group(1) or match.group(2))


class Lldb:
    """A version of lldb: its command, the lldb-server that comes with it, and what both need in their environment."""

    def __init__(self, name, words, server, extra):
        self.name = name
        self.words = words
        self.server = server
        self.extra = extra


def start_subject(session, subject, data, environment):
    """For sessions that attach: the running subject; None for others."""
    if session.how not in ('attach', 'beside'):
        return None
    if session.how == 'beside':
        # Under a name that no other process has, whatever else runs on this machine.
        subject = data / ('subject-%d' % os.getpid())
        shutil.copy(data.parent.parent.parent / 'subject', subject)
    target = Child([subject] + session.arguments, data / 'subject.txt', environment)
    try:
        target.wait_for('OUT: ', 20)
    except Problem:
        target.end()
        raise
    return target


def write_script(session, subject, target, port, data):
    """The lldb commands of a session, with what stands in front of them."""
    connect = 'gdb-remote 127.0.0.1:%d' if session.how in ('arguments', 'attach') else \
        'process connect connect://127.0.0.1:%d'
    program = target.words[0] if session.how == 'beside' else subject
    commands = session.commands.replace('%DATA%', str(data))
    if target is not None:
        commands = commands.replace('%PID%', str(target.process.pid))
        commands = commands.replace('%NAME%', pathlib.Path(target.words[0]).name)
    script = data / 'commands.lldb'
    script.write_text('%starget create %s\n%s\n%squit\n' % (PREAMBLE, program, connect % port, commands))
    return script


def run_session(server, lldb, session, subject, data):
    """One session through one server: its transcript, and what the subject printed."""
    data.mkdir(parents=True)
    (data / 'input').write_text('line\n')
    environment = free_environment(data)
    target = child = None
    try:
        target = start_subject(session, subject, data, environment)
        child, port = server.start(session, subject, target, data, environment)
        script = write_script(session, subject, target, port, data)
        client = Child(lldb.words + ['--no-lldbinit', '--script-language', 'none', '--one-line-before-file',
                                     'settings set interpreter.stop-command-source-on-error false',
                                     '--source', str(script)], data / 'lldb.txt',
                       dict(environment, **lldb.extra))
        try:
            if client.wait(DEADLINE) is None:
                raise Problem('%s: lldb waits for %s after %d s; the end of its transcript:\n%s\nthe server:\n%s' % (
                    session.name, server.name, DEADLINE, client.text()[-1500:], child.text()[-1500:]))
        finally:
            client.end()
        left = ''
        if session.name == 'detach':
            # Set free: the subject ends by itself, unless something was left in it.
            left = 'the subject ended with %s\n' % target.wait(20)
        child.wait(1)
        printed = client.text() + child.text()
        for path in ([target.path] if target else []) + [data / 'output']:
            printed += path.read_text() if path.exists() else ''
        return client.text() + left, re.findall(r'OUT: [^\r\n]*', printed)
    finally:
        for process in (child, target):
            if process is not None:
                process.end()


class Names:
    """Numbers made into names in the order in which they come."""

    def __init__(self):
        self.names = {}

    def name(self, kind, text):
        key = (kind, text)
        if key not in self.names:
            self.names[key] = '%s%d' % (kind, 1 + sum(1 for known in self.names if known[0] == kind))
        return self.names[key]


def normalize(text, session, data, subject):
    lines = text.replace('\r', '').splitlines()
    # lldb without its Python says so at its start.
    while lines and not lines[0].startswith('(lldb)'):
        lines.pop(0)
    # The commands before the session's own are ours.
    for number, line in enumerate(lines):
        if re.match(r'\(lldb\) (gdb-remote|process connect) ', line):
            lines = lines[number:]
            break
    names = Names()
    result = []
    for line in lines:
        if 'OUT: ' in line:
            line = re.sub(r'OUT: .*', '', line)
            if not line.strip():
                continue
        line = line.replace('subject-%d' % os.getpid(), 'subject').replace(str(data), 'DATA').replace(str(subject), 'SUBJECT').replace(str(HERE), 'HERE')
        # Which expression of a line comes next depends on when a running program is stopped.
        line = re.sub(r'(subject\.c:\d+):\d+', r'\1', line)
        # The words for this fault are the server's: 14 has the first, 19 the second.
        line = line.replace('invalid address (fault', 'address not mapped to object (fault')
        line = re.sub(r'(127\.0\.0\.1:)\d+', r'\1PORT', line)
        # Where a thread stands that did not stop by itself depends on how far it came meanwhile.
        line = re.sub(r'^(  thread #\d+: tid = \w+), 0x.*(, name = \S+)$', r'\1\2', line)
        if re.fullmatch(r'\s*\^', line):
            continue
        line = re.sub(r'0x[0-9a-fA-F]{6,16}\b', lambda m: names.name('&', m.group(0).lower().lstrip('0x')), line)
        line = re.sub(r'(?i)\b(process|tid =|pid =|pid:|attach -p) (\d+)',
                      lambda m: '%s %s' % (m.group(1), names.name('P', m.group(2))), line)
        if any(pattern.search(line) for pattern in session.differs):
            continue
        result.append(line.rstrip())
    return result


def find_lldb(version):
    """An lldb of that version: installed, or (19) unpacked for the builds of this tree."""
    installed = shutil.which('lldb-%s' % version)
    server = shutil.which('lldb-server-%s' % version)
    if installed and server:
        return Lldb('lldb-%s' % version, [installed], server, {})
    if version != newer_lldb.VERSION:
        raise Problem('lldb %s is not installed' % version)
    try:
        newer_lldb.fetch()
    except newer_lldb.Missing as why:
        raise Problem('lldb %s is not installed and could not be fetched: %s' % (version, why)) from why
    return Lldb('lldb-%s' % version, [newer_lldb.find()], newer_lldb.find('lldb-server'), {})


def compare(session, lldb, servers, subject, folder):
    """Runs a session through both servers; a list of differing lines, empty when they agree."""
    transcripts, prints = [], []
    for server in servers:
        data = folder / lldb.name / session.name / server.name
        text, outs = run_session(server, lldb, session, subject, data)
        lines = normalize(text, session, data, subject)
        (data / 'transcript.txt').write_text('\n'.join(lines) + '\n')
        transcripts.append(lines)
        prints.append(outs)
    difference = list(difflib.unified_diff(transcripts[0], transcripts[1], servers[0].name, servers[1].name,
                                           lineterm='', n=2))
    if prints[0] != prints[1] and not session.silent:
        difference += ['the subject printed', '  with %s: %s' % (servers[0].name, prints[0]),
                       '  with %s: %s' % (servers[1].name, prints[1])]
    return difference


def build_subject(folder):
    subject = folder / 'subject'
    subprocess.run([os.environ.get('CC', 'cc'), '-g', '-O0', '-pthread', '-fcf-protection=none',
                    '-o', subject, HERE / 'subject.c'], check=True)
    return subject


def choose_servers(options, lldb, trapline):
    """What is compared: the lldb-server of the lldb's own version, unless another is named, and ours."""
    reference = LldbServer(options.lldb_server) if options.lldb_server else LldbServer(lldb.server, lldb.extra)
    if not options.itself:
        return [reference, Trapline(trapline)]
    again = LldbServer(reference.path, reference.extra)
    again.name = 'lldb-server-again'
    return [reference, again]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('sessions', nargs='*', help='names of sessions; all of them if none is given')
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build')
    parser.add_argument('--trapline', type=pathlib.Path, help='the server to be tested')
    parser.add_argument('--lldb', action='append', help='a version of lldb; several may be given (default 14)')
    parser.add_argument('--lldb-server', help='the server to compare with (default: the one of the same version)')
    parser.add_argument('--fast', action='store_true', help='only the sessions marked so')
    parser.add_argument('--itself', action='store_true', help='lldb-server against itself: do sessions waver?')
    parser.add_argument('--keep', type=pathlib.Path, help='a folder for all transcripts')
    options = parser.parse_args()

    trapline = options.trapline or options.build / 'trapline'
    if not options.trapline and not trapline.exists():
        trapline = options.build / 'frontends/trapline'
    trapline = trapline.resolve()
    if not options.itself and not trapline.exists():
        print('skipped: there is no %s (make)' % trapline)
        return 77
    sessions = [Session(path) for path in sorted((HERE / 'sessions').glob('*.lldb'))]
    if options.sessions:
        sessions = [session for session in sessions if session.name in options.sessions]
    elif options.fast:
        sessions = [session for session in sessions if session.fast]

    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix='trapline-lldb-') as temporary:
        folder = options.keep.resolve() if options.keep else pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        subject = build_subject(folder)
        for version in options.lldb or ['14']:
            try:
                lldb = find_lldb(version)
            except Problem as problem:
                print('skipped lldb %s: %s' % (version, problem))
                continue
            servers = choose_servers(options, lldb, trapline)
            for session in sessions:
                begun = time.monotonic()
                try:
                    if (folder / lldb.name / session.name).exists():
                        shutil.rmtree(folder / lldb.name / session.name)
                    difference = compare(session, lldb, servers, subject, folder)
                except Problem as problem:
                    difference = [str(problem)]
                print('%s %s %s (%.1f s)' % ('ok' if not difference else 'FAILED', lldb.name, session.name,
                                             time.monotonic() - begun))
                if difference:
                    failed += 1
                    print('\n'.join('    ' + line for line in difference))
                else:
                    passed += 1
                sys.stdout.flush()
    print('%d passed, %d failed' % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
