"""`make fuzz`: 20,000 inputs, gone on with where they were cut short; a table of kinds by outcome.

Exit status 1 where one is a fault; its files are then under build/fuzz/failing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.fuzz.drive import drawn, drive, summary
from tests.fuzz.worker import FAULTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--json", type=Path, help="writes the table here as well")
    given = parser.parse_args()
    try:
        results = drive(
            given.count, given.seed, given.out, lambda text: print(text, file=sys.stderr)
        )
    except KeyboardInterrupt:
        print("all that is tried is kept: the same command goes on", file=sys.stderr)
        return 130
    made = summary(results, given.seed)
    print(drawn(made))
    if given.json:
        given.json.write_text(json.dumps(made, indent=1) + "\n")
    return any(result["outcome"] in FAULTS for result in results)


if __name__ == "__main__":
    raise SystemExit(main())
