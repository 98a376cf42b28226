#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does to a root what the hooks of docs/provisioning.md's recipe for mmdebstrap do to an image, in mmdebstrap's place.

Usage: recipe.py ROOT        (as root; /srv/sekimori and the tools are those of the machine that builds, ROOT has /proc and /dev)

What the recipe includes of Debian has to be in ROOT already.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys

DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/provisioning.md")


def words():
    with open(DOCUMENT, encoding="utf-8") as f:
        found = re.search(r"<!-- recipe mmdebstrap -->\n```\n(mmdebstrap .*?)\n```\n<!-- /recipe -->", f.read(), re.S)
    if not found:
        sys.exit("docs/provisioning.md has no recipe mmdebstrap")
    return shlex.split(found.group(1).replace("\\\n", " "))


def values(option):
    return [word.removeprefix(option) for word in words() if word.startswith(option)]


def main(root):
    for package in ",".join(values("--include=")).split(","):
        subprocess.run(["dpkg-query", f"--admindir={root}/var/lib/dpkg", "-W", package], check=True)
    hooks = values("--customize-hook=")
    if not hooks:
        sys.exit("the recipe has no hooks")
    for hook in hooks:
        print(f"+ {hook}", flush=True)
        if hook.startswith("copy-in "):
            *sources, place = hook.split()[1:]
            for source in sources:
                shutil.copytree(source, f"{root}/{place}/{os.path.basename(source)}")
        else:
            subprocess.run(["sh", "-euc", hook, "hook", root], check=True)


if __name__ == "__main__":
    main(sys.argv[1])
