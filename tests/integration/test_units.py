# SPDX-License-Identifier: GPL-2.0-or-later
"""The units that are installed: systemd takes them without a word, and what they take away is measured."""

import json
import os
import pathlib
import re
import subprocess
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
UNITS = TOP / "packaging/systemd"
# Programs of the units, by where they are installed.
PROGRAMS = ("usr/sbin/sekimorid", "usr/bin/sekimorictl", "usr/libexec/sekimori/sekimori-helpers")


def exposure(unit):
    """Its rows as `systemd-analyze security` has them, and the sum."""
    call = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    text = subprocess.run([*call, UNITS / unit], capture_output=True, text=True, check=True).stdout
    rows = json.loads(subprocess.run([*call, "--json=short", UNITS / unit], capture_output=True, text=True, check=True).stdout)
    return float(re.search(r"Overall exposure level for \S+: ([\d.]+)", text)[1]), {row["name"]: row for row in rows}


def settings(unit):
    """[(name, value), …] as they stand there, comments left out."""
    text = (UNITS / unit).read_text(encoding="utf-8")
    return [tuple(line.split("=", 1)) for line in text.splitlines() if "=" in line and not line.startswith("#")]


def value(unit, name):
    found = [v for n, v in settings(unit) if n == name]
    assert len(found) == 1, (unit, name, found)
    return found[0]


def test_systemd_takes_every_unit_without_a_word():
    with tempfile.TemporaryDirectory() as root:
        system = pathlib.Path(root) / "usr/lib/systemd/system"
        system.mkdir(parents=True)
        for program in (*PROGRAMS, "bin/kill", "bin/true"):
            at = pathlib.Path(root) / program
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_text("#!/bin/sh\n")
            at.chmod(0o755)
        # What they are ordered by; Debian's own are not looked at here.
        for other in ("systemd-udevd.service", "systemd-remount-fs.service", "systemd-modules-load.service"):
            (system / other).write_text("[Unit]\nDescription=x\nDefaultDependencies=no\n[Service]\nExecStart=/bin/kill\n")
        for other in ("sysinit", "shutdown", "local-fs", "timers", "basic", "sockets"):
            (system / f"{other}.target").write_text("[Unit]\nDescription=x\nDefaultDependencies=no\n")
        names = sorted(path.name for path in UNITS.iterdir())
        for name in names:
            (system / name).write_bytes((UNITS / name).read_bytes())
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root}", *names],
                              capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout + done.stderr == "", done


def test_a_word_that_systemd_does_not_know_would_be_seen():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sekimorid.service")
        with open(path, "w", encoding="utf-8") as f:
            f.write((UNITS / "sekimorid.service").read_text(encoding="utf-8").replace("PrivateNetwork=", "PrivatNetwork="))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True)
        assert "PrivatNetwork" in done.stderr, done


def test_exposure_of_what_reads_strangers_words_is_at_most_two():
    for unit in ("sekimorid.service", "sekimori-doctor.service", "sekimori-credential@.service"):
        level, rows = exposure(unit)
        assert level <= 2.0, (unit, level, [name for name, row in rows.items() if row["set"] is False])


def test_the_daemon_keeps_only_what_stands_in_the_page():
    """Every row that is not met is explained where people look for it, and none is explained that is met."""
    _, rows = exposure("sekimorid.service")
    page = (TOP / "docs/architecture.md").read_text(encoding="utf-8")
    table = page[page.index("### What the daemon's unit leaves open"):]
    told = set(re.findall(r"(?m)^\| `([^`]+)` \|", table[:table.index("\n## ")]))
    unmet = {name for name, row in rows.items() if row["set"] is False}
    assert told == unmet, (told - unmet, unmet - told)


def test_helpers_have_no_right_that_is_not_explained():
    text = (UNITS / "sekimori-helpers.service").read_text(encoding="utf-8")
    comments = " ".join(line for line in text.splitlines() if line.startswith("#"))
    for unit in ("sekimorid.service", "sekimori-helpers.service"):
        text = (UNITS / unit).read_text(encoding="utf-8")
        comments = " ".join(line for line in text.splitlines() if line.startswith("#"))
        for capability in value(unit, "CapabilityBoundingSet").split():
            assert capability.removeprefix("CAP_") in comments, (unit, capability)


def test_a_closing_that_runs_when_helpers_are_stopped_is_not_torn_down():
    # Else SIGTERM would be for sekimori-open, too.
    assert value("sekimori-helpers.service", "KillMode") == "mixed"
    assert int(value("sekimori-helpers.service", "TimeoutStopSec")) > 60, "what a forced close may take"


def test_secret_that_cannot_be_opened_does_not_keep_the_daemon_from_starting():
    """systemd does not start a unit whose credential it cannot open: the daemon's loads no sealed one, and needs none of the units that do."""
    loaded = [(n, v) for n, v in settings("sekimorid.service") if "Credential" in n]
    # By names without a path, none is no failure.
    assert loaded == [("LoadCredential", "sekimori.organisation"), ("LoadCredential", "sekimori.telephone")], loaded
    wanted = " ".join(v for n, v in settings("sekimorid.service") if n == "Wants").split()
    required = " ".join(v for n, v in settings("sekimorid.service") if n in ("Requires", "BindsTo", "Requisite"))
    shown = [v for n, v in settings("sekimorid.service") if n == "BindReadOnlyPaths"]
    for secret in "organisation", "telephone":
        unit = f"sekimori-credential@{secret}.service"
        assert unit in wanted and unit not in required, (wanted, required)
        # "-": where it could not be opened there is no such directory.
        assert f"-/run/credentials/{unit}:/run/sekimori/secrets/{secret}" in shown, shown
    assert value("sekimori-credential@.service", "PartOf") == "sekimorid.service"


def test_daemon_and_helpers_meet_at_one_socket():
    path = value("sekimori-helpers.socket", "ListenSequentialPacket")
    assert ("Environment", f"SEKIMORI_HELPERS={path}") in settings("sekimorid.service")
    assert value("sekimori-helpers.socket", "SocketMode") == "0600"
    assert "sekimori-helpers.socket" in value("sekimorid.service", "Requires")
    # Whoever kills either of them again and again does not end it.
    for unit in ("sekimorid.service", "sekimori-helpers.service"):
        assert value(unit, "Restart") == "always" and value(unit, "StartLimitIntervalSec") == "0"
