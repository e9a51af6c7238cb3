#!/usr/bin/env python3
"""The tests of `trapline kvm` where there is a KVM: in a machine that tests brought, or on this one.
inside.py --trapline FILE --guests FOLDER [--cpus 1,2,4] [--scenario WORD]... [--skip WORD]... [--seconds N] [--trace WORDS]"""

import argparse
import os
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), 'conformance')]

import scenes  # noqa: E402,F401  (registers them)
import scenes_linux  # noqa: E402,F401
import session  # noqa: E402
from client import Ended, Hang, ProtocolError, Refused, Unsupported  # noqa: E402
from registry import Failed, Skip  # noqa: E402


def run_one(scene, options, cpus):
    """(result, reason): "ok", "FAILED" or "skipped"."""
    machine = None
    try:
        machine = (session.Machine if scene.served else session.Typed)(options, cpus, scene)
        scene.function(machine)
        machine.still_whole()
        return 'ok', ''
    except Skip as skip:
        return 'skipped', str(skip)
    except (Failed, Hang, ProtocolError, Refused, Unsupported, Ended) as error:
        return 'FAILED', f'{type(error).__name__}: {error}' + (machine.shown() if machine else '')
    except Exception:  # pylint: disable=broad-except  (a scene's own mistake must not end the run)
        return 'FAILED', traceback.format_exc() + (machine.shown() if machine else '')
    finally:
        if machine is not None:
            machine.close()


def chosen(options):
    for scene in session.SCENES:
        if options.scenario and not any(word in scene.name for word in options.scenario):
            continue
        if any(word in scene.name for word in options.skip) or (options.fast and not scene.fast):
            continue
        for cpus in options.cpus:
            if scene.least <= cpus <= scene.most:
                yield scene, cpus


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--trapline', required=True)
    parser.add_argument('--guests', required=True)
    parser.add_argument('--cpus', default='1,2,4', type=lambda text: [int(word) for word in text.split(',')])
    parser.add_argument('--scenario', action='append', default=[], metavar='WORD')
    parser.add_argument('--skip', action='append', default=[], metavar='WORD')
    parser.add_argument('--fast', action='store_true', help='only what `make check` has')
    parser.add_argument('--no-points', action='store_true', help="the processor's emulation has neither int3 nor debug registers for hypervisors")
    parser.add_argument('--trace', metavar='WORDS', help="of trapline --trace: a failed scene shows the trace's end")
    parser.add_argument('--seconds', type=float, default=0, help='the processes are shown, and the run ends, when it takes longer')
    options = parser.parse_args()
    counts = {'ok': 0, 'FAILED': 0, 'skipped': 0}
    if options.seconds:
        signal.signal(signal.SIGALRM, session.out_of_time)
        signal.setitimer(signal.ITIMER_REAL, options.seconds)
    for scene, cpus in chosen(options):
        if options.no_points and scene.points:
            continue
        begin = time.monotonic()
        if options.trace:
            print(f'begin {scene.name} with {cpus} at {begin:.2f} s', flush=True)
        result, reason = run_one(scene, options, cpus)
        counts[result] += 1
        print(f'{result} {scene.name} with {cpus} ({time.monotonic() - begin:.2f} s)' + (f': {reason}' if result == 'skipped' else ''), flush=True)
        if result == 'FAILED':
            print('    ' + reason.replace('\n', '\n    '), flush=True)
    print(f'{counts["ok"]} passed, {counts["FAILED"]} failed, {counts["skipped"]} skipped', flush=True)
    return 1 if counts['FAILED'] or not counts['ok'] else 0


if __name__ == '__main__':
    sys.exit(main())
