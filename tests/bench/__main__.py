"""`make bench`: measure everything, or with a name that measurement alone; print a table and keep the figures.

`make bench-smoke` lets each measurement run at a hundredth of its size and judges nothing: it fails when one fails to
run, so that none rots unseen between two measurings.
"""

import gc
import sys
import time
from pathlib import Path

import uvloop

from tests.bench import (
    command,
    consumer,
    fan_out,
    forward,
    home,
    idle,
    portal,
    push,
    relay,
    rollup,
    sign_in,
    token_verify,
)
from tests.bench.results import Result, keep, show
from tests.bench.stage import opened_stages

MEASUREMENTS = {
    "relay": relay.measure,
    "consumer": consumer.measure,
    "rollup": rollup.measure,
    "command": command.measure,
    "forward": forward.measure,
    "home": home.measure,
    "change-fan-out": fan_out.measure,
    "push": push.measure,
    "portal": portal.measure,
    "token-verify": token_verify.measure,
    "sign-in": sign_in.measure,
    "idle": idle.measure,
}


GROUP_OF = {
    "event-age": "consumer",
    "position": "consumer",
    "restore-catch-up": "consumer",
    "rollup-folding": "rollup",
    "hot-command": "command",
    "forward-nginx": "forward",
    "forward-direct": "forward",
    "forward-tag": "forward",
    "forward-gzip": "forward",
    "home-p95": "home",
    "change-fan-out-memory": "change-fan-out",
    "portal-first-use": "portal",
    "portal-all": "portal",
    "portal-second": "portal",
    "token-known": "token-verify",
    "sign-in-cpu": "sign-in",
    "idle-memory": "idle",
}
"""Which measurement a figure comes from, where it is not called the same."""

SMOKE = "--smoke"
SMOKE_SHARE = 0.01


def main(names: list[str]) -> int:
    """Run the named measurements, all without a name; 1 when a bar does not hold, 2 for an unknown name."""
    is_smoke = SMOKE in names
    names = [GROUP_OF.get(name, name) for name in names if name != SMOKE] or list(MEASUREMENTS)
    unknown = [name for name in names if name not in MEASUREMENTS]
    if unknown:
        sys.stderr.write(f"no measurement is called {unknown[0]}; there are {', '.join([*MEASUREMENTS, *GROUP_OF])}\n")
        return 2
    if is_smoke:
        missing = [each.name for each in uvloop.run(_measured(names, SMOKE_SHARE)) if each.value is None]
        if missing:
            sys.stderr.write(f"not measured: {', '.join(missing)}\n")
        return 1 if missing else 0
    results: list[Result] = []
    for name in names:
        results += uvloop.run(_measured([name], 1))
        gc.collect()
    show(results)
    sys.stdout.write(f"kept in {keep(results, Path('.xiangqiao'))}\n")
    return 0 if all(result.holds is not False for result in results) else 1


async def _measured(names: list[str], share: float) -> list[Result]:
    """Take measurements on one set of servers."""
    results: list[Result] = []
    async with opened_stages(names, share=share) as stages:
        for name, stage in stages.items():
            sys.stderr.write(f"measuring {name} … ")
            began = time.perf_counter()
            results += await MEASUREMENTS[name](stage)
            sys.stderr.write(f"{time.perf_counter() - began:.0f} s\n")
    return results


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
