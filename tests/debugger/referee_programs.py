"""The programs that the referee of whole sessions goes through, and how they are built: by plain commands."""

import os
import pathlib
import shutil
import subprocess

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / 'fixtures' / 'debugger'
SUSPECTS = ['suspects.c', '-lm']
# It has functions within functions, whose addresses need a stack that can be run.
CONVENTIONS = ['conventions.c', '-z', 'execstack']
# Name: compiler, arguments, stops.
BUILDS = {
    'suspects-O0': ['gcc', '-O0', *SUSPECTS],
    'suspects-O2': ['gcc', '-O2', *SUSPECTS],
    'suspects-O3-lto': ['gcc', '-O3', '-flto=1', *SUSPECTS],
    'suspects-static-pie': ['gcc', '-O1', '-static-pie', *SUSPECTS],
    'suspects-no-frame-pointer': ['gcc', '-O1', '-fomit-frame-pointer', *SUSPECTS],
    'suspects-dwarf-4': ['gcc', '-O2', '-gdwarf-4', *SUSPECTS],
    'suspects-clang-O2': ['clang', '-O2', *SUSPECTS],
    'suspects-32': ['gcc', '-m32', '-O2', *SUSPECTS],
    'walks-32': ['gcc', '-m32', '-O2', 'walks.c'],
    'conventions-O2': ['gcc', '-O2', *CONVENTIONS],
    'conventions-32-O0': ['gcc', '-m32', '-O0', *CONVENTIONS],
    'conventions-32-O2': ['gcc', '-m32', '-O2', *CONVENTIONS],
    'conventions-32-O3-lto': ['gcc', '-m32', '-O3', '-flto=1', '-msse2', '-mfpmath=sse', *CONVENTIONS],
    'conventions-32-no-frame-pointer': ['gcc', '-m32', '-O1', '-fomit-frame-pointer', *CONVENTIONS],
    'conventions-32-regparm': ['gcc', '-m32', '-O2', '-mregparm=3', '-fno-pie', '-no-pie', *CONVENTIONS],
    'walks-O0': ['gcc', '-O0', 'walks.c'],
    'walks-O2': ['gcc', '-O2', 'walks.c'],
    'walks-O3-lto': ['gcc', '-O3', '-flto=1', 'walks.c'],
    'cxx-O0': ['g++', '-std=c++17', '-O0', 'walks.cc'],
    'cxx-O2': ['g++', '-std=c++17', '-O2', 'walks.cc'],
    'names-cxx-O2': ['g++', '-std=c++17', '-O2', 'names.cc'],
    'fifty-threads': ['gcc', '-O2', '-pthread', 'fifty.c'],
    'assembler': ['gcc', 'assembler.S'],
}


def build(folder, names=None):
    """Builds those of the names (all), and gives back the paths of what could be built."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, command in BUILDS.items():
        if names and name not in names:
            continue
        words = [str(FIXTURES / word) if (FIXTURES / word).exists() else word for word in command]
        if not shutil.which(words[0]):
            print(f'{name}: there is no {words[0]}')
            continue
        run = subprocess.run([*words, '-g', '-w', '-o', str(folder / name)], capture_output=True, text=True, check=False,
                             env={**os.environ, 'CCACHE_DISABLE': '1'})
        if run.returncode:
            print(f'{name}: not built: {run.stderr.strip().splitlines()[0]}')
        else:
            paths.append(str(folder / name))
    return paths
