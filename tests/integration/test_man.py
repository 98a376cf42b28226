# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages: clean for man and mandoc, and each says all that the tables have which it is about."""
import os
import pathlib
import re
import subprocess
import tempfile

from harness import BUILD, TOP
from test_programs import installed, run

MAN = BUILD / "man"
USERSPACE = TOP / "userspace"


def pages():
    """name.section: path, without other names and translations."""
    return {path.name: path for path in sorted(MAN.glob("man?/*.[1-8]")) if not path.is_symlink()}


def translations():
    return sorted(MAN.glob("*/man?/*.[1-8]"))


def shown(path, width=200):
    """The page as man shows it, without hyphenation, on one line."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": str(width)}
    done = subprocess.run(["man", "--no-hyphenation", "--no-justification", "-l", str(path)], env=env, capture_output=True,
                          text=True, timeout=60, check=True)
    return re.sub(r"\s+", " ", re.sub(r".\x08", "", done.stdout))


def read(path):
    return (TOP / path).read_text(encoding="utf-8")


# --- form ------------------------------------------------------------------------------------------

def warnings(path):
    """What man, with all of groff's warnings, and mandoc have against a page."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""}
    said = subprocess.run(["man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(path)], env=env, timeout=60, check=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return said + subprocess.run(["mandoc", "-Tlint", "-W", "warning", str(path)], capture_output=True, text=True, timeout=60,
                                 check=False).stdout


def test_pages_have_no_warnings():
    found = [*pages().values(), *translations()]
    assert len(found) >= 18, found
    for path in found:
        assert warnings(path) == "", (path, warnings(path))
    # The check itself sees what is wrong.
    with tempfile.TemporaryDirectory() as directory:
        broken = pathlib.Path(directory) / "broken.1"
        broken.write_text('.TH X 1\n.SH NAME\nx \\- y \\fQ\n.TS\n.foo\n', encoding="ascii")
        assert "WARNING" in warnings(broken) and "warning" in warnings(broken), warnings(broken)


def test_pages_are_whole():
    for name, path in pages().items():
        text = path.read_text(encoding="utf-8")
        stem, section = name.rsplit(".", 1)
        assert re.search(rf'^\.TH "{re.escape(stem)}" "{section}" "\d{{4}}-\d\d-\d\d" "Sekimori [\d.]+"', text, re.M), name
        sections = re.findall(r"^\.SH (.*)", text, re.M)
        assert sections[0] == "NAME" and len(sections) > 1, (name, sections)
        # whatis(1) reads "name, name - words" from its own line.
        assert re.search(rf"^\.SH NAME\n{re.escape(stem)}(, [\w.-]+)* - .+\n\.SH", text.replace("\\-", "-"), re.M), name
        text = re.sub(r"^\.(EX|nf)\n.*?^\.(EE|fi)\n", "", text, flags=re.M | re.S)
        # Nothing of Markdown is left, and no link to a file that is not installed.
        text = re.sub(r"/usr/share/doc/sekimori-common/[\w.-]+", "", text)
        for left in (r"\]\(", r"\.md\b", r"^#+ ", r"\*\*", r"\[\*", r"<!--"):
            assert not re.search(left, text, re.M), (name, left)
        assert section in "1" or not re.search("日本語の要約|要約（日本語）", text), name


def test_every_name_leads_to_a_page():
    for path in MAN.glob("man?/*.[1-8]"):
        if path.is_symlink():
            target = path.parent / path.readlink()
            assert target.name in pages() and path.name.rsplit(".", 1)[0] in target.read_text(encoding="utf-8"), path
    # What pages refer to by our names is there.
    names = {path.name for path in MAN.glob("man?/*.[1-8]")}
    for name, path in pages().items():
        for other, section in re.findall(r"\b((?:org\.)?sekimori[\w.-]*)\((\d)\)", shown(path)):
            assert f"{other}.{section}" in names, (name, other, section)


# --- content ---------------------------------------------------------------------------------------

def test_every_program_has_a_page_with_its_options():
    for program in installed():
        page, = [path for name, path in pages().items() if name.rsplit(".", 1)[0] == program]
        text = shown(page)
        options = set(re.findall(r"--[a-z][a-z-]+", run(BUILD / program, "--help").stdout))
        assert options >= {"--help", "--version"} and options <= set(re.findall(r"--[a-z][a-z-]+", text)), (program, options)
        assert "EXIT STATUS" in text, program


def test_every_command_is_in_the_page():
    for program in ("sekimorictl", "sekimori-desk"):
        text = shown(MAN / f"man1/{program}.1")
        names = re.findall(r"^`([a-z -]+)`", run(BUILD / program, "completion", "commands").stdout, re.M)
        assert len(names) > 30, names
        prose = text[:text.index(" OPTIONS --")]
        for name in names:
            words = name.split()
            # "approve|deny|withdraw NUMBER", and "exception report|confirm|close".
            assert re.search(rf"\b{words[0]}\b[ \w|,.-]*\b{words[-1]}\b" if len(words) > 1 else rf"\b{name}\b", prose), (program, name)
        options = re.findall(r"^`--([a-z-]+)=?`", run(BUILD / program, "completion", "options").stdout, re.M)
        assert len(options) > 40, options
        for option in options:
            assert f"--{option}" in text, (program, option)


def test_every_setting_is_in_its_page():
    names = re.findall(r'^\t\{ "([a-z-]+)", offsetof\(struct settings', read("userspace/core/settings.c"), re.M)
    assert len(names) > 15, names
    for page in ("man5/sekimorid.conf.5", "man8/sekimorid.8"):
        text = shown(MAN / page)
        assert [name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)] == [], page


def test_every_statement_of_a_policy_is_in_its_page():
    names = {name for path in ("policy-header.c", "statement.c", "policy.c") for name in
             re.findall(r'^\t\{ ?"([a-z-]+)", ', (USERSPACE / "core" / path).read_text(encoding="utf-8"), re.M)}
    assert {"version", "at-lock", "may-approve"} <= names, names
    text = shown(MAN / "man5/sekimori.policy.5")
    assert [name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)] == []


def test_every_kind_of_record_is_in_the_page_of_the_log():
    names = re.findall(r'^\t\{ ?"([a-z-]+)", ', read("userspace/core/eventkind.c"), re.M)
    assert len(names) > 40, names
    text = shown(MAN / "man5/sekimori-log.5")
    assert [name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)] == []


def test_every_interface_has_a_page_with_its_members():
    names = dict(re.findall(r'^#define (BUS_INTERFACE_\w+) BUS_NAME "(\.\w+)"', read("userspace/bus/names.h"), re.M))
    assert len(names) >= 7, names
    text = shown(MAN / "man5/org.sekimori.Sekimori1.5")
    for suffix in names.values():
        assert (MAN / f"man5/org.sekimori.Sekimori1{suffix}.5").exists() and f"org.sekimori.Sekimori1{suffix}" in text, suffix


def test_every_parameter_and_counter_of_the_module_is_in_its_page():
    text = shown(MAN / "man4/sekimori.4")
    parameters = re.findall(r"^module_param\((\w+),", read("kmod/main.c"), re.M)
    counters = re.findall(r'^\tX\((\w+), "', read("kmod/counters.h"), re.M)
    assert len(parameters) == 4 and len(counters) > 5, (parameters, counters)
    for name in parameters + counters:
        assert re.search(rf"(?<!\w){name}(?!\w)", text), name


def test_japanese_pages_say_what_the_english_ones_do():
    found = {path.name: path for path in translations()}
    assert set(found) >= {"sekimorictl.1", "sekimori-agent.1"}, found
    for name, path in found.items():
        text, english = shown(path), shown(pages()[name])
        assert re.search("[\u3041-\u30ff]", text), name
        wanted = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", english))
        assert wanted <= set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)), (name, wanted)
    names = re.findall(r"^`([a-z -]+)`", run(BUILD / "sekimorictl", "completion", "commands").stdout, re.M)
    text = shown(found["sekimorictl.1"])
    assert [name for name in names if name not in text] == []
