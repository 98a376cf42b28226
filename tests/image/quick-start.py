#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the commands of the README's quick start for a real terminal: what the image tier does is what is written there.

Usage: quick-start.py before|after        (the line `reboot`)
They are the first block of code between <!-- quick-start --> and <!-- /quick-start -->.
"""

import os
import re
import sys

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")


def commands():
    with open(README, encoding="utf-8") as f:
        text = f.read()
    found = re.search(r"<!-- quick-start -->\s*```\w*\n(.*?)\n```\s*<!-- /quick-start -->", text, re.S)
    if not found:
        sys.exit("README.md has no block of code between <!-- quick-start --> and <!-- /quick-start -->")
    lines = [re.sub(r"\s+#\s.*", "", line) for line in found.group(1).splitlines()]
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    if "reboot" not in lines:
        sys.exit("README.md's quick start has no line `reboot`")
    at = lines.index("reboot")
    return {"before": lines[:at], "after": lines[at + 1:]}


if __name__ == "__main__":
    print("\n".join(commands()[sys.argv[1]]))
