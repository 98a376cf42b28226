#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the image tier: tests/image/test_*.py, as tests/terminal/run.py runs its own, in Machines (machine.py) instead of Terminals."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "terminal"), HERE]  # `run` is the terminal tier's

import run  # noqa: E402
from machine import Machine  # noqa: E402

if __name__ == "__main__":
    sys.exit(run.main(HERE, Machine))
