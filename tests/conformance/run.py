#!/usr/bin/env python3
"""Runs the conformance scenarios against one server.

    tests/conformance/run.py --driver process [--scenario WORD]... [--json FILE] [--build DIRECTORY]

One line a scenario. A scenario that is skipped although the driver's `may_skip` does not name it has failed. The last
line has the totals. The exit status is 0 when nothing failed, 77 when the driver cannot run here.
See docs/HOWTO_WRITE_A_TEST.md.
"""

import argparse
import json
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import drivers  # noqa: E402
import scenarios  # noqa: E402,F401  (registers them)
from client import Ended, Hang, ProtocolError, Refused, Unsupported  # noqa: E402
from registry import SCENARIOS, Failed, Session, Skip  # noqa: E402


def reason_not_to(scenario, driver):
    if scenario.needs not in driver.rungs:
        return f"the target does not have {scenario.needs}"
    if scenario.only is not None and scenario.only != driver.kind:
        return f"for targets of kind {scenario.only}"
    return driver.excused.get(scenario.name)


def run_one(scenario, driver, verbose):
    """(result, reason): "passed", "failed" or "skipped"."""
    reason = reason_not_to(scenario, driver)
    if reason is not None:
        return "skipped", reason
    session = None
    result, reason = "passed", ""
    try:
        session = Session(driver)
        if not getattr(scenario.function, "connects_itself", False):
            session.connect()
        scenario.function(session)
    except Skip as skip:
        result, reason = "skipped", str(skip)
    except Unsupported as unsupported:
        result, reason = "skipped", str(unsupported)
    except (Failed, Hang, ProtocolError, Refused, Ended) as error:
        result, reason = "failed", f"{type(error).__name__}: {error}"
        if session is not None and session.client is not None and not isinstance(error, Hang):
            reason += "\nthe last packets:\n" + session.client.transcript()
    except Exception:  # pylint: disable=broad-except  (a scenario's own mistake must not end the run)
        result, reason = "failed", traceback.format_exc()
    finally:
        if session is not None:
            session.close()
            complaints = session.connection.complaints
            if result == "failed" and complaints:
                reason += "\nthe server said:\n" + complaints
            elif complaints and any(sign in complaints for sign in ("Sanitizer", "runtime error:", "violation:")):
                result, reason = "failed", "the server said:\n" + complaints
    if verbose and session is not None and session.client is not None:
        print(session.client.transcript())
    return result, reason


def judged(scenario, driver, result, reason):
    """A skip that the driver does not allow is a failure, and so is a driver's word that is out of date."""
    if reason_not_to(scenario, driver) is not None:
        return result, reason
    if result == "skipped" and scenario.name not in driver.may_skip:
        return "failed", f"skipped, which {driver.name} must not: {reason}"
    if result == "passed" and scenario.name in driver.may_skip:
        return "failed", f"passed, but the driver's may_skip says: {driver.may_skip[scenario.name]}"
    return result, reason


def main():
    parser = argparse.ArgumentParser(description="Runs the conformance scenarios against one server.")
    parser.add_argument("--driver", required=True, choices=sorted(drivers.all_drivers()))
    parser.add_argument("--scenario", action="append", default=[], metavar="WORD",
                        help="only scenarios whose name or rung contains WORD")
    parser.add_argument("--json", metavar="FILE", help="write the results there; -: print them as one line, \"results {…}\"")
    parser.add_argument("--build", default=os.path.join(drivers.ROOT, "build"), metavar="DIRECTORY")
    parser.add_argument("--list", action="store_true", help="list the scenarios and what they show")
    parser.add_argument("--verbose", action="store_true", help="show the last packets of each")
    arguments = parser.parse_args()

    chosen = [s for s in SCENARIOS
              if not arguments.scenario or any(word in s.name or word == s.needs for word in arguments.scenario)]
    if arguments.list:
        for scenario in chosen:
            print(f"{scenario.needs:12} {scenario.name:40} {scenario.text}")
        return 0
    driver = drivers.all_drivers()[arguments.driver](os.path.abspath(arguments.build))
    try:
        driver.command()
    except drivers.NotAvailable as reason:
        print(f"skipped: {reason}")
        return 77

    counts = {"passed": 0, "failed": 0, "skipped": 0}
    results = []
    for scenario in chosen:
        begin = time.monotonic()
        result, reason = judged(scenario, driver, *run_one(scenario, driver, arguments.verbose))
        seconds = time.monotonic() - begin
        counts[result] += 1
        results.append({"name": scenario.name, "rung": scenario.needs, "result": result, "reason": reason,
                        "seconds": round(seconds, 3)})
        line = f"{result:8} {scenario.name} ({seconds:.2f} s)"
        if result == "skipped":
            line += f": {reason}"
        print(line, flush=True)
        if result == "failed":
            print("    " + reason.replace("\n", "\n    "), flush=True)
    if arguments.json:
        document = {"driver": driver.name, "target": driver.target, "front_end": driver.front_end,
                    "date": time.strftime("%Y-%m-%d"), "machine": driver.machine, "results": results}
        if arguments.json == "-":
            print("results " + json.dumps(document), flush=True)
        else:
            with open(arguments.json, "w", encoding="utf-8") as file:
                json.dump(document, file, indent=1)
                file.write("\n")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
