"""The files of the tree that checks look at: what git knows, or would add."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def tracked(*patterns):
    """Paths relative to the root. Works in a tree without git, too."""
    try:
        output = subprocess.run(['git', '-C', str(ROOT), '-c', f'safe.directory={ROOT}', 'ls-files', '-z', '--cached',
                                 '--others', '--exclude-standard', '--', *patterns], check=True, capture_output=True)
        names = [name for name in output.stdout.decode().split('\0') if name]
    except (OSError, subprocess.CalledProcessError):
        names = [str(path.relative_to(ROOT)) for pattern in patterns or ('*',) for path in ROOT.rglob(pattern)
                 if path.is_file() and not path.relative_to(ROOT).parts[0].startswith(('build', '.git'))]
    return sorted(name for name in set(names) if (ROOT / name).is_file())
