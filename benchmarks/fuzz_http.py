"""Sends to every route of `/v1` what its schema allows and forbids, and looks for errors of ours.

schemathesis makes the requests from the OpenAPI document of a hub in its own process. Anything that
is answered with a status of 500 or above, or not at all, fails.

    python benchmarks/fuzz_http.py --examples 50
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from hub_process import HubProcess
from kill_run import MENU

from order_events.auth.tokens import Role

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
SENDS_ELSEWHERE = "webhooks"
"""Routes left out, because they would send requests to made-up addresses."""


def give_menu(hub: HubProcess, authorization: str) -> None:
    """Give the restaurant a menu, so that there can be orders."""
    request = urllib.request.Request(
        f"{hub.url}/v1/menu",
        method="PUT",
        data=json.dumps(MENU).encode(),
        headers={"Authorization": authorization},
    )
    with urllib.request.urlopen(request):
        pass


def fuzz(hub: HubProcess, authorization: str, examples: int, seed: int) -> int:
    """Return schemathesis' exit status: 0 if nothing was found."""
    command = [
        *(str(SCHEMATHESIS), "run", f"{hub.url}/v1/openapi.json", "--url", hub.url),
        *("--header", f"Authorization: {authorization}", "--checks", "not_a_server_error"),
        *("--phases", "coverage,fuzzing", "--continue-on-failure"),
        *("--max-examples", str(examples), "--seed", str(seed)),
        *("--exclude-path-regex", SENDS_ELSEWHERE),
    ]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """Fuzz a hub of its own; return 0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=30, help="per route")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        hub = HubProcess(Path(data))
        hub.start()
        try:
            authorization = f"Bearer {hub.token('r1', role=Role.SERVICE)}"
            give_menu(hub, authorization)
            found = fuzz(hub, authorization, options.examples, options.seed)
        finally:
            # Raises if the hub has not survived.
            hub.stop()
    return found


if __name__ == "__main__":
    sys.exit(main())
