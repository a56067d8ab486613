"""Runs killed with SIGKILL at their durable steps: all old or all new, and the same end when they are repeated.

KILL_POINTS and KILL_SEED make it another sweep: `make test-kills` kills at 200 points.
"""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
POINTS = os.environ.get("KILL_POINTS", "8")
SEED = os.environ.get("KILL_SEED", "1")


def test_a_run_killed_at_any_point_leaves_all_old_or_all_new_and_ends_the_same_when_repeated() -> None:
    # A process of its own: this one has threads, which a fork does not take along.
    command = [sys.executable, "-m", "tests.faults.kill_sweep", "--points", POINTS, "--seed", SEED]
    found = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert f"{POINTS} of them to be killed at" in found.stdout
