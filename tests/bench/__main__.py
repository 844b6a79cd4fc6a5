"""`make bench`: measure everything, or with a name that measurement alone; print a table and keep the figures."""

import gc
import sys
from pathlib import Path

import uvloop

from tests.bench import command, consumer, forward, relay, rollup, sign_in, token_verify
from tests.bench.results import Result, keep, show

MEASUREMENTS = {
    "relay": relay.measure,
    "consumer": consumer.measure,
    "rollup": rollup.measure,
    "command": command.measure,
    "forward": forward.measure,
    "token-verify": token_verify.measure,
    "sign-in": sign_in.measure,
}


GROUP_OF = {
    "event-age": "consumer",
    "rollup-folding": "rollup",
    "hot-command": "command",
    "forward-nginx": "forward",
    "forward-direct": "forward",
    "token-known": "token-verify",
    "sign-in-cpu": "sign-in",
}
"""Which measurement a figure comes from, where it is not called the same."""


def main(names: list[str]) -> int:
    """Run the named measurements, all without a name; 1 when a bar does not hold, 2 for an unknown name."""
    names = [GROUP_OF.get(name, name) for name in names]
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        sys.stderr.write(f"no measurement is called {unknown[0]}; there are {', '.join([*MEASUREMENTS, *GROUP_OF])}\n")
        return 2
    results: list[Result] = []
    for name in names or MEASUREMENTS:
        sys.stderr.write(f"measuring {name} …\n")
        results += uvloop.run(MEASUREMENTS[name]())
        gc.collect()
    show(results)
    sys.stdout.write(f"kept in {keep(results, Path('.xiangqiao'))}\n")
    return 0 if all(result.holds is not False for result in results) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
