"""Packages of another architecture or release, from the mirror that this machine's apt uses: nothing is installed, and the
machine's own lists and state are left alone. What was fetched stands in build-fetched/, once for all builds of this tree."""

import contextlib
import fcntl
import pathlib
import re
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEADLINE = 900  # seconds, of one apt-get
# Seconds before the lists are asked for again: while a mirror is brought up to date, its parts do not fit each other.
PAUSES = (5, 20, 60, 120)
UNSETTLED = re.compile(r'unexpected size|Hash Sum mismatch|Mirror sync|Temporary failure|Connection (failed|timed out)|50[234] ')


class Missing(Exception):
    """It cannot be had; the text says why."""


def place(name):
    """The folder for what is fetched under that name, whichever build asks for it. It may not be there."""
    return ROOT / 'build-fetched' / name


def store(name):
    """The same, made if need be. Raises Missing."""
    folder = place(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise Missing(f'nothing can be kept in {folder}: {why}') from why
    return folder


@contextlib.contextmanager
def alone(folder):
    """While it lasts, no other program makes what belongs into that folder: the second one finds it made. Raises Missing."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / 'lock', 'w', encoding='ascii') as lock:
        end = time.monotonic() + DEADLINE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Missing(f'another program has been filling {folder} for {DEADLINE} seconds: end it (fuser {folder}/lock names it)') from None
                time.sleep(0.2)
        yield


def own_mirror(architecture):
    """The address of Debian's archive that this machine's apt uses, and what it is signed by, as options of a line."""
    folder = pathlib.Path('/etc/apt')
    texts = [path.read_text() for path in [folder / 'sources.list', *sorted(folder.glob('sources.list.d/*'))]
             if path.is_file()]
    arch = f'arch={architecture}'
    for text in texts:
        for stanza in re.split(r'\n\s*\n', text):
            fields = dict(re.findall(r'^([A-Za-z-]+):\s*(.*)$', stanza, re.MULTILINE))
            if 'main' in fields.get('Components', '').split() and 'security' not in fields.get('URIs', 'security'):
                if fields['URIs'].rstrip('/').endswith('debian'):
                    signed = fields.get('Signed-By')
                    return fields['URIs'].split()[0], f'[{arch} signed-by={signed}]' if signed else f'[{arch}]'
        for line in re.findall(r'^deb\s+(?:\[([^]]*)\]\s+)?(\S+/debian/?)\s+\S+\s+.*\bmain\b', text, re.MULTILINE):
            signed = re.search(r'signed-by=(\S+)', line[0])
            return line[1], f'[{arch} {signed[0] if signed else ""}]'
    raise Missing('no line of /etc/apt names an archive of Debian')


def fetch_known(folder, architecture, path, sha256):
    """A package whose place in the archive and whose sum are known, in a folder; None when the archive has it no more.
    It takes no lists, so that it is there also while a mirror's lists do not fit their signature."""
    address, _ = own_mirror(architecture)
    target = pathlib.Path(folder).resolve() / pathlib.PurePath(path).name
    result = subprocess.run(['/usr/lib/apt/apt-helper', 'download-file', f'{address.rstrip("/")}/{path}', target, f'SHA256:{sha256}'],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=DEADLINE, check=False)
    return target if result.returncode == 0 else None


class Archive:
    """The packages of one release for one architecture, with apt's lists and state in a folder of their own."""

    def __init__(self, folder, architecture, suite):
        self.folder, self.architecture, self.suite = pathlib.Path(folder).resolve(), architecture, suite

    def run(self, *words):
        """Runs apt-get or apt-cache on these lists; what it printed."""
        folder = self.folder
        options = {'Dir::Etc::sourcelist': folder / 'sources.list', 'Dir::Etc::sourceparts': '/dev/null',
                   'Dir::State': folder / 'state', 'Dir::State::status': folder / 'status', 'Dir::Cache': folder / 'cache',
                   'APT::Architecture': self.architecture, 'APT::Architectures': self.architecture,
                   'Acquire::Languages': 'none', 'APT::Sandbox::User': 'root'}
        settings = [word for name, value in options.items() for word in ('-o', f'{name}={value}')]
        result = subprocess.run([words[0], '-q', *settings, *words[1:]], cwd=folder, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=DEADLINE, check=False)
        if result.returncode != 0:
            raise Missing(f'{" ".join(words)} failed:\n{result.stdout}')
        return result.stdout

    def update(self):
        """Lists of what there is."""
        for name in ['state/lists/partial', 'cache/archives/partial']:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / 'status').touch()
        address, options = own_mirror(self.architecture)
        (self.folder / 'sources.list').write_text(f'deb {options} {address} {self.suite} main\n')
        for pause in (*PAUSES, None):
            try:
                self.run('apt-get', 'update')
                return
            except Missing as why:
                if pause is None or not UNSETTLED.search(str(why)):
                    raise
                time.sleep(pause)

    def dependency(self, package, pattern):
        """The first name among what a package depends on that matches; linux-image-… depends on the kernel of the day."""
        name = re.search(rf'Depends: ({pattern})$', self.run('apt-cache', 'depends', package), re.MULTILINE)
        if name is None:
            raise Missing(f'{package} depends on no {pattern}')
        return name[1]

    def download(self, package):
        """The file of one package, in the folder."""
        self.run('apt-get', 'download', package)
        return next(self.folder.glob(package + '_*.deb'))

    def fetch(self, package, depends=None):
        """The file of a package, by lists of now; or of the first that it depends on whose name matches, as a kernel of the day."""
        self.update()
        return self.download(self.dependency(package, depends) if depends else package)

    def unpack(self, packages, target):
        """Packages with all that they depend on, unpacked into a folder, though nothing is set up there."""
        self.run('apt-get', 'install', '--download-only', '--no-install-recommends', '-y', *packages)
        for package in sorted((self.folder / 'cache/archives').glob('*.deb')):
            subprocess.run(['dpkg-deb', '-x', package, target], check=True, timeout=300)
            package.unlink()
