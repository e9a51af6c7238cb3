"""Cores: what gdb shows of one by itself it shows of ours, too; and what is refused is refused in words."""

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness import BUILD, TRAPLINE, run

GDB = ["gdb", "-nx", "-q", "-batch", "-iex", "set debuginfod enabled off", "-iex", "set sysroot /",
       "-iex", "set auto-solib-add on"]
QUESTIONS = ("info registers", "p $xmm0", "p $mxcsr", "p $fctrl", "bt", "thread apply all -q bt 2", "frame 3", "info locals",
             "print written", "print heap", "x/s anonymous+40000", "print constant", "print pair", "x/4i $pc",
             "print $_siginfo.si_signo", "print $_siginfo._sifields._sigfault.si_addr", "info auxv", "thread 2",
             "print own", "info registers rip rsp" )


def fixtures():
    for bits in ("64", "32"):
        path = os.path.join(BUILD, "tests", "fixtures", "fixture-crash-" + bits)
        if os.path.exists(path):
            yield bits, path


def gdb(*arguments, program=None):
    command = GDB + ([program] if program else []) + list(arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ, LC_ALL="C"))


CORES = {}


def cores():
    """A core of each fixture where it faults, with its threads, by gdb: bits, program, core."""
    if not CORES:
        directory = tempfile.mkdtemp(prefix="core-")
        atexit.register(shutil.rmtree, directory, ignore_errors=True)
        for bits, program in fixtures():
            path = os.path.join(directory, "core" + bits)
            made = gdb("-ex", "run fault", "-ex", f"gcore {path}", "-ex", "kill", program=program)
            assert os.path.exists(path), made.stdout + made.stderr
            CORES[bits] = (bits, program, path)
    return list(CORES.values())


def own_cores():
    """The same, by our own gcore."""
    directory = tempfile.mkdtemp(prefix="core-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    for bits, program in fixtures():
        path = os.path.join(directory, "core" + bits)
        subprocess.run([os.path.join(BUILD, "tests", "serve", "dump-core"), program, "fault", path], check=True,
                       timeout=60)
        yield bits, program, path


def answers(text):
    """What follows each question's mark, without what is different by nature: gdb's and the server's names of threads."""
    parts = re.split(r"^@@ (.*)$", text, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2]))
    return {question: re.sub(r"\(?Thread [^\n]*?\)(?=[\n:\]])|Thread \d+(?: \"[^\"]*\")?", "Thread", answer.strip())
            for question, answer in found.items()}


def marked(questions):
    return [word for question in questions for word in ("-ex", f"echo @@ {question}\\n", "-ex", question)] + \
        ["-ex", "echo @@ end\\n"]


def stock(program, core, questions=QUESTIONS):
    return answers(gdb(program, core, *marked(questions)).stdout)


def ours(program, core, questions=QUESTIONS):
    done = gdb("-ex", f"target remote | {TRAPLINE} --serve - core {core}", *marked(questions), program=program)
    return answers(done.stdout)


def compare(bits, program, core, passed_by=()):
    wanted, found = stock(program, core), ours(program, core)
    assert len(wanted) == len(QUESTIONS) + 1, wanted
    for question in QUESTIONS:
        assert question in passed_by or wanted[question] == found.get(question), \
            f"{bits} bits, {question}: gdb says\n{wanted[question]}\nours\n{found.get(question)}"
    return found


def check_truth(found):
    """What the program itself says of it (tests/fixtures/crash.c)."""
    assert "deep (level=5, where=0x10)" in found["bt"] and "main (count=2" in found["bt"], found["bt"]
    assert found["thread apply all -q bt 2"].count("#0") == 4, found["thread apply all -q bt 2"]
    for question, value in (("print written", '"written to'), ("print heap", '"on the heap"'),
                            ("x/s anonymous+40000", '"in anonymous memory"'), ("print constant", '"read-only text"'),
                            ("print pair", "first = 42, second = 2.5"), ("print $_siginfo.si_signo", "= 11"),
                            ("print $_siginfo._sifields._sigfault.si_addr", "0x10")):
        assert value in found[question], f"{question}: {found[question]}"


def test_gdb_sees_what_it_sees_by_itself(_bench):
    for bits, program, core in cores():
        # gdb's cores of 32-bit programs do not say where a thread's storage is (NT_386_TLS); gdb asks its list of threads.
        check_truth(compare(bits, program, core, ("print own",) if bits == "32" else ()))


def test_gdb_reads_our_cores_and_so_do_we(_bench):
    for bits, program, core in own_cores():
        found = compare(bits, program, core)
        check_truth(found)
        assert "= 100" in found["print own"] or "= 101" in found["print own"] or "= 102" in found["print own"], \
            found["print own"]


def test_lldb_reads_our_cores(_bench):
    if shutil.which("lldb") is None:
        return
    for _, program, core in own_cores():
        done = subprocess.run(["lldb", "-b", "-o", f"target create {program} --core {core}", "-o", "bt", "-o", "thread list"],
                              capture_output=True, text=True, timeout=120, check=False)
        assert "deep(level=5" in done.stdout and done.stdout.count("thread #") >= 4, done.stdout + done.stderr
        assert "SIGSEGV" in done.stdout, done.stdout


def test_nothing_runs_and_gdb_is_told_why(_bench):
    _, program, core = cores()[0]
    done = gdb("-ex", f"target remote | {TRAPLINE} --serve - core {core}", "-ex", "continue", "-ex", "bt 1",
               "-ex", "print pair.first = 3", "-ex", "detach", program=program)
    assert "nothing can run here" in done.stderr, done.stderr
    assert "deep (level=0" in done.stdout, done.stdout
    assert "annot access memory" in done.stderr, done.stderr
    assert "detached]" in done.stdout, done.stdout


def test_nothing_runs_and_lldb_keeps_its_connection(bench):
    if shutil.which("lldb") is None:
        return
    _, program, core = cores()[0]
    server = bench.serve("core", core)
    # In batch mode lldb ends at the first stop by a fault that it did not expect.
    done = subprocess.run(["lldb", "-b", "-o", f"gdb-remote {server.port}", "-o", "bt", "-o", "continue", program],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert "nothing can run here" in done.stdout and "deep(level=5" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count("stopped\n") == 2 and "lost connection" not in done.stdout, done.stdout


def refusal(*words):
    done = subprocess.run([TRAPLINE, "--serve", "-", "core", *words], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode == 2, done
    return done.stderr


def test_what_is_no_core_is_refused(_bench):
    assert "core wants a core dump" in refusal()
    assert "cannot open the core" in refusal("/nowhere/core")
    assert "is it the program?" in refusal(TRAPLINE)
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\x28\xb5\x2f\xfd" + bytes(100))
        file.flush()
        assert "zstd -dc" in refusal(file.name)


def test_another_program_is_said_to_be(_bench):
    _, _, core = cores()[0]
    done = subprocess.run([TRAPLINE, "--serve", "-", "core", core, TRAPLINE], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20, check=False)
    assert "is another build than the program that this core is of" in done.stderr, done.stderr
    assert "4 threads, ended by signal 11" in done.stderr, done.stderr


if __name__ == "__main__":
    sys.exit(run(globals()))
