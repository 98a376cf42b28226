# SPDX-License-Identifier: GPL-2.0-or-later
"""Changing the policy of a virtual terminal: each one put in has a higher version than the last."""

from barrier import Since, daemon_pid

POLICY_FILE = "/etc/sekimori/policy"


def newest(t):
    """The lowest version that the terminal still takes."""
    text = t.run("cat /var/lib/sekimori/policy/index.jsonl 2>/dev/null | tail -n 1", check=False).out
    return int(text.split('"version":')[1].split(",")[0].split("}")[0]) if '"version":' in text else 0


def put(t, body, version=None):
    """Writes a policy; returns its version."""
    version = newest(t) + 1 if version is None else version
    t.write(POLICY_FILE, f"policy test-terminal\nversion {version}\n{body}")
    return version


def reload(t):
    t.run(f"kill -HUP {daemon_pid(t)}")


def use(t, body, version=None):
    """Writes a policy and waits until it is in force."""
    since = Since(t)
    version = put(t, body, version)
    reload(t)
    since.wait("policy", policy_version=version)
    return version
