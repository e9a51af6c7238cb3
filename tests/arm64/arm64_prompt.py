"""Trapline's own prompt on 64-bit Arm: on this machine, connected to the server in the guest, with gdb-multiarch as the referee
(calls, finished functions, instructions), and inside the guest, as a program of that machine. run.py runs it."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

import arm64_machine

sys.path.insert(0, str(arm64_machine.ROOT / 'tests/emulator'))
import calls as emulator  # noqa: E402 pylint: disable=wrong-import-position

DEADLINE = 240
CALLS_PROGRAM = 'guest-calls'

# What is asked, and the answer. Third: why gdb 13 is not asked, or is not followed.
CRASHES = 'it ends with an internal error at arrays of floating-point members'
PAIRS = 'it lets what is aligned to 16 bytes begin at any register and anywhere on the stack'
WIDE = 'it does not reckon with 128 bits'
CALLS = [
    ('of_four(1, four, 2.5)', '293211'), ('of_five(five, 7)', '754321'), ('of_fours(four, 5, four, 6)', '64151'),
    ('of_quads(quads, 3.5)', '376.25'), ('of_quads(quads, quad)', '176.25'), ('of_vectors(vectors, ints)', '3054'),
    ('of_pair(pair)', '17.5'), ('of_nested(nested)', '4321', CRASHES), ('of_seven(seven)', '115115'),
    ('of_wide(1, wide, 2)', '687194769861', PAIRS), ('of_aligned(1, aligned, 2)', '2771', PAIRS),
    ('of_many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)', '120936', PAIRS), ('of_padded(padded)', '17.5'),
    ('of_reals(reals)', '321', CRASHES), ('low(384)', "-128 '\\200'"), ('high(-1)', "255 '\\377'"), ('is_odd(3)', 'true'),
    ('is_odd(4)', 'false'), ('shorter(98304)', '-32768'), ('paint(RED)', 'GREEN'), ('paint(GREEN)', 'RED'),
    ('twice(wide)', '2535301200456458802993406410762'), ('twice(-1)', '-2'), ('twice(twice(3))', '12'),
    ('half_quad(quad)', '0.75'), ('half_quad(3)', '1.5'), ('half_quad(quad) / 3', '0.25'), ('-quad * 2 - 1', '-4'),
    ('quad == 1.5 && quad < 2', '1'), ('(long double)1 / 3', '0.333333333333333333333333333333333317'), ('wide / 3', '422550200076076467165567735127', WIDE),
    ('make_four(1)', '{a = 1, b = 2, c = 3, d = 4}'), ('make_five(1)', '{a = 1, b = 2, c = 3, d = 4, e = 5}'),
    ('make_quads(1.5)', '{a = 1.5, b = 2.5}'), ('make_nested(1)', '{a = {a = 1, b = 2}, b = {3, 4}}', CRASHES),
    ("make_seven('a')", '{a = "abc\\000\\000\\000"}'), ('make_padded(1.5)', '{a = 1.5, b = 2.5}'),
    ('make_three(-1)', '{a = -1, b = 0, c = 1}'), ('make_vector(5)', '{5, 6, 7, 8}'), ('make_pair(0.5)', '{0.5, 1.5}'),
    ('say()[2]', "116 't'"), ('sum_quads(2, quad, quad)', '16.5'), ('sum_structs(2, four, big, four, big)', '4444'),
    ('of_big(1, make_big(1), 2)', '24322'), ('turn(small_point)', '3 + 0i'),
]
# Functions that main calls, and what they return; the result is shown when they are finished.
FINISHED = {
    'negate': '5', 'half': '2.5', 'third': '3.33333325', 'low': "-128 '\\200'", 'high': "255 '\\377'", 'is_odd': 'true',
    'shorter': '-32768', 'paint': 'GREEN', 'twice': '2535301200456458802993406410762', 'half_quad': '0.75', 'turn': '3 + 0i',
    'make_two': '{a = 1, b = 2}', 'make_mixed': '{a = -1, b = 2.5}', 'make_sixteen': "{a = 12345678901, b = 120 'x'}",
    'make_big': '{a = {7, 8, 9, 10}}', 'make_array': '{a = {1.5, 2.5}}', 'make_floats': '{a = 2.5, b = 3.5, c = 4.5}',
    'make_four': '{a = 1, b = 2, c = 3, d = 4}', 'make_five': '{a = 1, b = 2, c = 3, d = 4, e = 5}',
    'make_quads': '{a = 1.5, b = 2.5}', 'make_nested': '{a = {a = 1, b = 2}, b = {3, 4}}',
    'make_seven': '{a = "abc\\000\\000\\000"}', 'make_padded': '{a = 1.5, b = 2.5}', 'make_three': '{a = -1, b = 0, c = 1}',
    'make_vector': '{5, 6, 7, 8}', 'make_pair': '{0.5, 1.5}',
}
# gdb 13 does not know where a result in memory is once the function has returned, and says so.
NOT_OF_GDB = {'make_big', 'make_five'}


def all_calls():
    """Those of RISC-V, whose reasons are about gdb there, and those of 64-bit Arm."""
    left = {'raw(0x80000001)'}  # the upper half of a register with 32 bits is nobody's business here
    crash = {'of_array(array)', 'make_array(1.5)'}
    theirs = [(text, answer, CRASHES) if text in crash else (text, answer) for text, answer, *_ in emulator.CALLS if text not in left]
    return theirs + CALLS


def start_server(guest, *words):
    """A server of ours in the guest that listens at the forwarded port; its name and connection."""
    name, stream = guest.start('/bin/trapline-gdbserver-static', '--once', '--no-startup-with-shell', f'0.0.0.0:{arm64_machine.SERVER}', *words,
                               errors=True)
    stream.settimeout(DEADLINE)
    said = b''
    while b'Listening' not in said and (part := stream.recv(4096)):
        said += part
    return name, stream


def session(guest, command, program, lines, words=()):
    """What a debugger of this machine prints, which is connected to a program in the guest."""
    name, stream = start_server(guest, f'/bin/{program.name}', *words)
    asked = ['set pagination off', 'set width 0', 'set confirm off', f'target remote 127.0.0.1:{guest.ports[arm64_machine.SERVER]}', *lines]
    arguments = [word for line in asked for word in ('-ex', line)]
    try:
        result = subprocess.run([*command, '-q', '-nx', '--batch', *arguments, program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors='replace', timeout=DEADLINE, check=False)
    finally:
        stream.close()
        guest.end(name, 1)
    return result.stdout + ('' if result.returncode in (0, 1) else f'\n(it ended with status {result.returncode})')


def values(shown):
    """{what was asked: the value} of a session that echoed "@what@" before each question."""
    return {asked: re.sub(r'.*\$\d+ = ', '', text, count=1, flags=re.DOTALL).strip()
            for asked, text in re.findall(r'^@(.*)@\n((?:(?!@).*\n?)*)', shown, re.MULTILINE)}


def question(name, *lines):
    return [f'echo @{name}@\\n', *lines]


def compare(wanted, shown):
    """What is not as it should be, as text."""
    found = values(shown)
    return [f'{asked}: {found.get(asked)}, not {answer}' for asked, answer in wanted.items() if found.get(asked) != answer]


def prompts(options):
    """Who is asked: the fast part does without the referee, whose answers are known."""
    ours = {'the prompt': [str(options.build / 'trapline')]}
    return ours if options.fast else {**ours, 'gdb-multiarch': ['gdb-multiarch']}


def run_calls(guest, options, check):
    """Functions with every kind of argument and result, called in expressions, and finished."""
    program = options.arm64 / 'tests/arm64' / CALLS_PROGRAM
    for who, command in prompts(options).items():
        gdb = command[0] == 'gdb-multiarch'
        asked = {text: answer for text, answer, *why in all_calls() if not (gdb and why)}
        lines = ['break main', 'continue', *(line for text in asked for line in question(text, f'print {text}'))]
        shown = session(guest, command, program, [*lines, *question('end', 'info registers pc', 'continue')])
        wrong = compare(asked, shown)
        # Nothing of it is left: the program ends as if nobody had called anything but what counts.
        if not re.search(r'^pc .*<main\+\d+>', shown, re.M) or 'exited with code 01' not in shown:
            wrong.append('the program does not go on')
        check(f'{who} calls functions ({len(asked)} calls)', not wrong, '\n'.join(wrong) + '\n' + shown[-1500:])
    for who, command in prompts(options).items():
        asked = {name: answer for name, answer in FINISHED.items() if not (command[0] == 'gdb-multiarch' and name in NOT_OF_GDB)}
        lines = [line for name in asked for line in question(name, f'tbreak {name}', 'continue', 'finish')]
        shown = session(guest, command, program, lines)
        wrong = compare(asked, shown)
        check(f'{who} finishes functions ({len(asked)} results)', not wrong, '\n'.join(wrong) + '\n' + shown[-1500:])


def run_returns(guest, options, check):
    """`return` with a value, in place of what the function would have returned."""
    program = options.arm64 / 'tests/arm64' / CALLS_PROGRAM
    lines = ['break main', 'continue', 'break half', 'continue', *question('double', 'return 7.25'), *question('d0', 'print $d0.f'),
             *question('rest', 'delete'), 'break negate if a == 0', 'continue', 'return 42', 'next', 'next', 'continue']
    shown = session(guest, [str(options.build / 'trapline')], program, lines)
    check('the prompt returns from functions with a value', values(shown).get('d0') == '7.25' and 'exited with code 52' in shown, shown)


# A walk through guest/prompt.c, in which gdb-multiarch says the same, and a word that must be in each answer.
WALK = [
    ('handle SIGUSR1 nostop noprint pass', 'SIGUSR1'), ('break leaf', 'Breakpoint 1'), ('continue', 'leaf (number=10)'), ('bt', '[PAC] in main ('), ('up', '#1  0x'), ('info locals', 'result = '),
    ('down', '#0 '), ('info registers x30 lr sp pc', '<leaf+12>'), ('finish', 'Value returned is $1 = 10'), ('next', 'return result'),
    ('step', 'hand_over'), ('info line', 'Line '), ('delete 1', ''), ('tbreak on_signal', 'breakpoint 2'), ('continue', 'on_signal (number=10)'),
    ('bt', '<signal handler called>'), ('up 2', '#2 '), ('finish', 'in raise ()'), ('bt', 'with_signal (number=100)'), ('up', 'with_signal'), ('info locals', 'before = '),
    ('tbreak count', 'breakpoint 3'), ('continue', 'count ()'), ('next', 'while'), ('next', 'turns++'), ('until', 'while'),
    ('until', ''), ('until', ''), ('tbreak *&filled', 'breakpoint 4'), ('continue', 'fill_vectors ()'), ('print $v0', 'bf = {2.369e-38'),
    ('print $v1.s.f', '= {1.5, 1.5, 1.5, 1.5}'), ('print $d2', '= {f = -2'), ('print $v2.d.f', '{-2, 0}'), ('print $s1.f', '= 1.5'),
    ('print $q0', 'u = 1334440654591915542993625911497130241'), ('print $z0.d.f', '7.7486041854893479e-304'), ('print $cpsr', 'EL=0'),
    ('print/x $w0', '= 0x'), ('ptype $v0', 'union'), ('ptype $cpsr', 'BTYPE @10-11'), ('info registers', 'pauth_cmask'),
    ('info registers v1 d2', '-4611686018427387904'), ('info all-registers p0', '{0x'), ('x/3i $pc', '=> '), ('stepi', '}'), ('stepi', 'main ('),
    ('display/i $pc', ''), ('stepi', '=> '), ('nexti', '=> '), ('undisplay 1', ''), ('x/2i &leaf', 'sub\tsp, sp, #0x10'), ('disassemble hand_over', 'b\t0x'),
    ('disassemble /r fill_vectors', '4f00e420\tmovi'), ('print *&second', ''), ('print first.next->name', '"second"'),
]


def alike(text):
    """An answer without what may differ: numbers of processes, names of gdb's own types, what it reads beside, the first display."""
    text = re.sub(r'^(warning: .*|Reading .*|\[New .*|\s*)\n', '', text, flags=re.MULTILINE)
    text = re.sub(r'__gdb_builtin_type_', '', text)
    return '\n'.join(sorted(text.splitlines())) if text.startswith('x0 ') else text


def run_walk(guest, options, check):
    """Frames, steps, registers and instructions, as gdb-multiarch has them."""
    program = options.arm64 / 'tests/arm64/guest-prompt'
    lines = [line for number, (text, _) in enumerate(WALK) for line in question(number, text)]
    shown = {}
    for who, command in prompts(options).items():
        found = re.findall(r'^@(\d+)@\n((?:(?!@).*\n?)*)', session(guest, command, program, lines), re.MULTILINE)
        shown[who] = {int(number): text for number, text in found}
    ours = shown['the prompt']
    theirs = shown.get('gdb-multiarch', ours)
    wrong = []
    for number, (text, word) in enumerate(WALK):
        our, their = ours.get(number, '(nothing)'), theirs.get(number, '(nothing)')
        if word not in our or (alike(our) != alike(their) and not text.startswith(('display', 'handle'))):
            wrong.append(f'{text}:\n  ours: {our}  gdb:  {their}')
    check(f'frames, steps, registers and instructions{"" if options.fast else " are those of gdb-multiarch"} ({len(WALK)} commands)', not wrong, '\n'.join(wrong))


# A core that the guest's kernel wrote, and a word that must be in each answer; gdb-multiarch says the same.
CORE = [
    ('bt', 'in main (argument_count=2'), ('info registers x0 x19 x30 sp pc cpsr', '__pthread_kill_implementation'), ('info registers vg', '0x'),
    ('print $v0.b.u[3]', '= '), ('print $tpidr', '= '), ('frame function main', 'die();'), ('info locals', 'name = 0x'), ('print *&second', '2.5'),
    ('print first.name', '"first"'), ('thread 2', 'pthread_barrier_wait'), ('bt 1', '#0 '), ('info registers x0 pc', 'barrier_wait'),
    ('x/2i $pc', '=> '),
]


def run_core(guest, options, check):
    """A program of two threads dies in the guest, and its core is looked at here."""
    program = options.arm64 / 'tests/arm64/guest-prompt'
    status = guest.run('/bin/guest-prompt', 'die')[0]
    name, stream = guest.start('/bin/guest-prompt', 'show', '/core')
    with stream:
        stream.settimeout(DEADLINE)
        core = b''.join(iter(lambda: stream.recv(65536), b''))
    guest.end(name, 1)
    shown = {}
    with tempfile.NamedTemporaryFile(prefix='trapline-core-') as file:
        file.write(core)
        file.flush()
        asked = ['set width 0', f'file {program}', f'core-file {file.name}', *(line for text, _ in CORE for line in question(text, text))]
        arguments = [word for line in asked for word in ('-ex', line)]
        for who, command in prompts(options).items():
            said = subprocess.run([*command, '-q', '-nx', '--batch', *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors='replace', timeout=DEADLINE, check=False).stdout
            # Where gdb says what a thread is called, it takes the host's libthread_db for the guest's.
            said = re.sub(r'Thread 0x[0-9a-f]+ \(LWP \d+\)', 'Thread', said)
            shown[who] = dict(re.findall(r'^@(.*)@\n((?:(?!@).*\n?)*)', said, re.MULTILINE))
    ours = shown['the prompt']
    theirs = shown.get('gdb-multiarch', ours)
    wrong = [f'{text}:\n  ours: {ours.get(text)}  gdb:  {theirs.get(text)}' for text, word in CORE
             if word not in ours.get(text, '') or ours.get(text) != theirs.get(text)]
    check(f'a core of arm64 ({len(core)} bytes, {len(CORE)} commands)', status == 134 and not wrong, '\n'.join(wrong))


# What is shown of a program that stands, and must be shown of the core that gcore wrote of it.
GENERAL = f"info registers {' '.join(f'x{n}' for n in range(31))} sp pc cpsr vg tpidr pauth_dmask pauth_cmask"
KEPT = ['bt', GENERAL, 'print/x $fpsr', 'print/x $fpcr', 'print $v0.b.u', 'print $v31.b.u', 'frame function main', 'info locals',
        'print *&second', 'thread 2', 'bt 2', GENERAL, 'print $v0.b.u', 'x/2i $pc', 'thread 1']
# gdb 13 looks for them right behind ffr, where the kernel has up to 8 bytes of nothing.
MISPLACED_BY_GDB = ('print/x $fpsr', 'print/x $fpcr')


def kept(said):
    """{question: answer}, without how threads are called, which a core's are by number alone."""
    said = re.sub(r'\((?:Thread|LWP|process) [^)]*\)+', '', said)
    return dict(re.findall(r'^@(.*)@\n((?:(?!@).*\n?)*)', said, re.MULTILINE))


def run_gcore(guest, options, check):
    """A core that the prompt writes of a program in the guest, read by the prompt and by gdb-multiarch."""
    program = options.arm64 / 'tests/arm64/guest-prompt'
    asked = [line for number, text in enumerate(KEPT) for line in question(f'{number} {text}', text)]
    with tempfile.TemporaryDirectory(prefix='trapline-gcore-') as folder:
        path = f'{folder}/core'
        said = session(guest, [str(options.build / 'trapline')], program, ['break die', 'continue', *asked, *question('written', f'gcore {path}')],
                       ['die'])
        alive, wrong = kept(said), []
        if f'Saved corefile {path}' not in alive.pop('written', ''):
            wrong.append(f'no core was written: {said[-500:]}')
        for who, command in prompts(options).items():
            lines = ['set pagination off', 'set width 0', f'core-file {path}', *asked]
            shown = subprocess.run([*command, '-q', '-nx', '--batch', *(word for line in lines for word in ('-ex', line)), program],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   errors='replace', timeout=DEADLINE, check=False).stdout
            dead = kept(shown)
            compared = [text for text in alive if who == 'the prompt' or not text.endswith(MISPLACED_BY_GDB)]
            wrong += [f'{who}: {text}:\n  alive: {alive[text]}  in the core: {dead.get(text)}' for text in compared if alive[text] != dead.get(text)]
        size = pathlib.Path(path).stat().st_size if pathlib.Path(path).exists() else 0
    check(f'a core that gcore wrote of arm64 ({size} bytes, {len(KEPT)} commands)', not wrong and len(alive) == len(KEPT), '\n'.join(wrong))


def run_disassembly(_guest, options, check):
    """gdb-multiarch's listings of functions of a big static program, line by line."""
    count = '12' if options.fast else '150'
    result = subprocess.run([sys.executable, arm64_machine.ROOT / 'tests/debugger/gdb_disassemble.py', '--gdb', 'gdb-multiarch', '--least', '99.5',
                             options.build / 'tests/debugger/list-code', count, options.arm64 / 'trapline-gdbserver-static'],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False)
    check('gdb-multiarch and the prompt show the same instructions: ' + result.stdout.splitlines()[0], result.returncode == 0, result.stdout)


# The prompt as a program of the guest: what is typed, and what must come, in this order.
INSIDE = [
    ('set startup-with-shell off', ''), ('break leaf if number == 2', r'Breakpoint 1 at 0x'), ('run', r'hit Breakpoint 1, leaf \(number=2\)'),
    ('bt', r'#1 +0x\w+ in main \('), ('print shared', r'= 10\n'), ('watch shared', r'Hardware watchpoint 2: shared'),
    ('continue', r'Old value = 10\nNew value = 12\nleaf'), ('finish', r'Value returned is \$\d+ = 12'), ('delete', ''),
    ('step', r'main \(|126'), ('next', r'127'), ('print leaf(5)', r'= 17\n'), ('print $v0.q.u', r'= \{\d+\}'),
    ('x/2i $pc', r'=> 0x\w+ <main\+\d+>:\tbl\t0x\w+ <with_signal>'), ('disassemble hand_over', r'\+24>:\tb\t0x\w+ <leaf>'),
    ('handle SIGUSR1 nostop noprint pass', ''), ('tbreak on_signal', ''), ('continue', r'on_signal \(number=10\)'),
    ('bt', r'<signal handler called>(?s:.)*\[PAC\] in main'), ('info registers pc', r'on_signal\+'), ('info threads', r'pthread_barrier_wait'),
    ('tbreak *&filled', ''), ('continue', r'fill_vectors \(\)'), ('stepi', r'\n7\d\t'), ('print $v1.s.f', r'= \{1\.5, 1\.5, 1\.5, 1\.5\}'),
    ('print $d2.f', r'= -2\n'), ('continue', r'exited normally'),
]


def libraries(program):
    """{path in the guest: bytes} of what a program is linked with, and that with."""
    there, wanted, files = arm64_machine.library_files(), [program.read_bytes()], {}
    while wanted:
        with tempfile.NamedTemporaryFile() as file:
            file.write(wanted.pop())
            file.flush()
            listed = subprocess.run(['aarch64-linux-gnu-readelf', '-d', file.name], check=True, stdout=subprocess.PIPE, text=True).stdout
        for name in re.findall(r'\(NEEDED\).*\[(.*)\]', listed):
            path = f'lib/aarch64-linux-gnu/{name}' if not name.startswith('ld-') else f'lib/{name}'
            if path not in files:
                files[path] = there[path]
                wanted.append(there[path])
    files['lib/ld-linux-aarch64.so.1'] = there['lib/ld-linux-aarch64.so.1']
    return files


def run_inside(guest, _options, check):
    """A whole session in the guest: the prompt is a program of that machine, and debugs another."""
    arguments = [word for line, _ in INSIDE for word in ('-ex', line)]
    name, stream = guest.start('/bin/trapline', '-nx', '-q', '--batch', *arguments, '/bin/guest-prompt', errors=True)
    with stream:
        stream.settimeout(DEADLINE)
        shown = b''.join(iter(lambda: stream.recv(65536), b'')).decode(errors='replace')
    status = guest.end(name, 1)[0]
    at, missing = 0, ''
    for line, expected in INSIDE:
        found = re.compile(expected).search(shown, at)
        if found is None:
            missing = f'after "{line}" no "{expected}" in:\n{shown[at:]}\nof\n{shown}'
            break
        at = found.end()
    check(f'the prompt inside the guest ({len(INSIDE)} commands)', not missing and status == 0, missing or f'status {status}')


def run(guest, options, check):
    """All of it; the fast part of it with --fast."""
    os.environ.setdefault('DEBUGINFOD_URLS', '')
    if not options.fast:
        run_inside(guest, options, check)
    for step in [run_calls, run_returns, run_walk, run_core, run_gcore, run_disassembly]:
        step(guest, options, check)
