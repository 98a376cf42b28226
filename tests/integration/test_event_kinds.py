# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of records: the table, the journal's catalogues, the page and the sources say the same."""

import os
import re
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def table():
    """{kind: message id}"""
    rows = re.findall(r'\{ "([a-z-]+)", "([0-9a-f]{32})",\n\t  LOG_\w+, \w+, \w+, N_\("[^"]+\.?"\) \}',
                      read("userspace/core/eventkind.c"))
    assert len(rows) > 30, rows
    return dict(rows)


def test_every_kind_has_an_id_of_its_own_and_an_entry_in_both_catalogues():
    kinds = table()
    assert len(set(kinds.values())) == len(kinds)
    for name in ("packaging/sekimori.catalog", "packaging/sekimori.ja.catalog"):
        entries = re.findall(r"^-- ([0-9a-f]{32})\nSubject: (.+)\n(?:\S+: .+\n)+\n(.+)", read(name), re.M)
        assert {id for id, _, _ in entries} == set(kinds.values()), name
        japanese = [bool(re.search(r"[ぁ-ん]", subject + text)) for _, subject, text in entries]
        assert all(japanese) if ".ja." in name else not any(japanese), name


def test_systemd_takes_the_catalogues():
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(f"{root}/usr/lib/systemd/catalog")
        os.makedirs(f"{root}/var/lib/systemd/catalog")
        for name in ("sekimori.catalog", "sekimori.ja.catalog"):
            with open(f"{root}/usr/lib/systemd/catalog/{name}", "w", encoding="utf-8") as f:
                f.write(read("packaging/" + name))
        done = subprocess.run(["journalctl", f"--root={root}", "--update-catalog"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert not re.search(r"sekimori.*(?:invalid|fail|bad)", done.stderr, re.I), done.stderr
        assert os.path.getsize(f"{root}/var/lib/systemd/catalog/database") > 1000


def test_every_kind_that_is_written_is_in_the_table_and_on_the_page():
    kinds = table()
    page = read("docs/evidence.md")
    for kind in kinds:
        assert f"`{kind}`" in page, kind
    written = set()
    folder = os.path.join(TOP, "userspace/daemon")
    for name in os.listdir(folder):
        if name.endswith(".c"):
            text = read("userspace/daemon/" + name)
            written |= set(re.findall(r'(?:manager_record|record_event)\([^;]*?,\s*"([a-z-]+)"', text))
            written |= set(re.findall(r'evidence_put_own\(evidence, "([a-z-]+)"', text))
    assert len(written) > 15 and written <= set(kinds), written - set(kinds)
