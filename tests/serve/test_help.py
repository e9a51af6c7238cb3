"""--help and the manual pages name the same options."""

import re
import subprocess
import sys

from harness import DEADLINE, GDBSERVER, TRAPLINE, run

import os

PAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs")


def of_help(command):
    done = subprocess.run([command, "--help"], capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0 and done.stderr == "", done
    return set(re.findall(r"^  (--[a-z-]+)", done.stdout, re.MULTILINE))


def of_page(name):
    """The options that head an item of the OPTIONS section: .It Fl -once , Fl -multi"""
    with open(os.path.join(PAGES, name)) as file:
        section = file.read().split(".Sh OPTIONS")[1].split("\n.Sh ")[0]
    options = set()
    for line in re.findall(r"^\.It Fl (-.*)$", section, re.MULTILINE):
        options |= {"-" + word for word in re.findall(r"(?:^|Fl )(-[a-z-]+[a-z])", line)}
    return options


def test_trapline(bench):
    assert of_help(TRAPLINE) == of_page("trapline.1")


def test_drop_in(bench):
    assert of_help(GDBSERVER) == of_page("trapline-gdbserver.1")


def test_version(bench):
    for command in (TRAPLINE, GDBSERVER):
        done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0 and re.match(r"trapline\S* \d+\.\d+\.\d+", done.stdout), done


if __name__ == "__main__":
    sys.exit(run(globals()))
