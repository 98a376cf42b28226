# SPDX-License-Identifier: GPL-2.0-or-later
"""What people read is Japanese or English, as LANG says, and nothing of it is left untranslated."""
import os
import pathlib
import re
import subprocess
import tempfile

from harness import BUILD, CTL, TOP

PO = TOP / "userspace" / "po"
DESK = BUILD / "sekimori-desk"
PROGRAMS = (CTL, DESK, BUILD / "sekimorid", BUILD / "sekimori-inspect", BUILD / "sekimori-open",
            BUILD / "sekimori-transfer", BUILD / "sekimori-agent")

JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
# Two words in a row, neither a name in capitals nor part of a command line.
PROSE = re.compile(r"(?<![-\w=/.'\"])[A-Z]?[a-z]{2,} [a-z]{2,}")
# Lines that show how to call something.
CALL = re.compile(r"^\s*(-|\[|sekimori[a-z-]* )")
# Files whose Japanese letters are data or an answer that is typed, not words of ours.
LETTERS = {"core/csv.c", "desk/message.c", "desk/keys.c"}

WRONG_USE = {
    CTL: (["fly"], ["list", "more"], ["policy", "fly"], ["status", "--all"], ["watch", "--count=x"], ["--zz"], ["-z"],
          ["watch", "--count"], ["list", "--json=1"], [], ["explain"], ["help", "list", "more"], ["check-policy"],
          ["list", "--count=3"]),
    DESK: (["fly"], ["--zz"], ["-z"], ["lend"], ["list", "--lang=fr"], ["list", "--holder=a", "--holder=b"],
           ["list", "--by="], ["list", "--why=\n"], ["--lang"], [], ["list", "--class=IV"], ["show", "1", "2"],
           ["list", "--yes=1"], ["label", "--format=png", "1"]),
    BUILD / "sekimorid": (["--zz"], ["more"], ["--config"]),
    BUILD / "sekimori-inspect": (["--zz"], [], ["more"], ["--interface=x"], ["--block=/dev/null"], ["--deadline=1"],
                                 ["--devnum=x"], ["--wait", "--read-only"]),
    BUILD / "sekimori-open": ([], ["open"], ["--zz"]),
    BUILD / "sekimori-transfer": (["more"], ["--zz"], ["--mount", "/x"]),
    BUILD / "sekimori-agent": (["more"], ["--zz"], ["--user"]),
}


def run(program, *args, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "SEKIMORI"))}
    return subprocess.run([str(program), *args], env={**clean, "LOCPATH": "/nonexistent", **env}, capture_output=True,
                          text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def japanese(program, *args):
    return run(program, *args, LANG="ja_JP.UTF-8")


def english(program, *args):
    return run(program, *args, LANG="C")


def is_untranslated(line):
    return not JAPANESE.search(line) and not CALL.match(line) and bool(PROSE.search(line))


# --- the catalogue -------------------------------------------------------------------------------

def tool(*args, **more):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}, **more)
    assert done.returncode == 0, done
    return done


def catalogue(directory):
    """The Japanese of all parts, held against the texts of the sources as they are now."""
    directory = pathlib.Path(directory)
    tool("make", "-s", "-C", TOP, f"BUILD={directory}", f"{directory}/po/sekimori.pot")
    parts = sorted((PO / "parts").glob("*.po"))
    tool("msgcat", "--use-first", "-o", directory / "all.po", PO / "ja.po", *parts)
    tool("msgmerge", "--quiet", "--no-fuzzy-matching", "-o", directory / "now.po", directory / "all.po",
         directory / "po" / "sekimori.pot")
    return directory / "now.po"


def missing(po):
    """How many texts have no translation, or one of which nobody is sure."""
    said = tool("msgfmt", "--check", "--statistics", "-o", "/dev/null", po).stderr
    assert re.match(r"\d+ translated", said), said
    return sum(int(n) for n in re.findall(r"(\d+) (?:untranslated|fuzzy)", said))


def test_every_text_has_a_japanese_one():
    with tempfile.TemporaryDirectory() as directory:
        po = catalogue(directory)
        left = tool("msgattrib", "--untranslated", "--no-obsolete", po).stdout
        assert missing(po) == 0, left
        # The check itself: a text that loses its translation is seen.
        text = po.read_text(encoding="utf-8")
        broken = re.sub(r'(msgid "PORT"\nmsgstr )"[^"]+"', r'\1""', text)
        assert broken != text
        po.write_text(broken, encoding="utf-8")
        assert missing(po) == 1


def test_japanese_stands_in_the_catalogue_alone():
    for path in sorted((TOP / "userspace").glob("*/*.[ch]")):
        name = str(path.relative_to(TOP / "userspace"))
        if name in LETTERS:
            continue
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S)
        assert not JAPANESE.search(code), (name, JAPANESE.search(code))


# One thing has one name. What must not be said, and the word for it.
WORDS = {"関所": "関門", "番人": "関門の常駐プログラム", "防壁": "関門", "障壁": "関門", "訓練モード": "試行モード", "信頼鍵": "信頼する鍵",
         "使い方：": "使い方:"}


def wrong_words(text):
    return [f"{number}: {line.strip()} ({word}: {WORDS[word]})" for number, line in enumerate(text.splitlines(), 1)
            for word in WORDS if word in line]


def test_one_thing_has_one_name():
    looked = [path for pattern in ("README.md", "docs/**/*", "packaging/**/*", "policy/*", "userspace/po/**/*.po") for path in TOP.glob(pattern)
              if path.is_file()]
    assert PO / "ja.po" in looked and len(looked) > 50, looked
    for path in looked:
        text = path.read_bytes().decode("utf-8", "replace")
        assert not wrong_words(text), (path, wrong_words(text))


def test_what_doctor_looks_at_is_told_in_one_form():
    with tempfile.TemporaryDirectory() as directory:
        lines = japanese(CTL, "doctor", "--root", directory).stdout.splitlines()
        rows = [line for line in lines if re.match(r"  \S+ +R\d", line)]
        assert len(rows) > 40, lines
        for row in rows:
            assert re.search(r"こと(（[^）]*こと）)?$", row), row


# --- the programs --------------------------------------------------------------------------------

def helps():
    """Every help there is, as arguments."""
    for program in (CTL, DESK):
        text = english(program, "--help").stdout
        names = re.findall(r"^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)(?=[ \n])", text, re.M)
        assert len(names) > 10, names
        for name in names:
            if name not in ("help", "stocktake seen"):
                yield program, ["help", *name.split()]
    for program in PROGRAMS:
        yield program, ["--help"]


def test_help_is_in_the_readers_language():
    for program, args in helps():
        ours, theirs = japanese(program, *args), english(program, *args)
        assert ours.returncode == theirs.returncode == 0, (program, args, ours)
        for line in ours.stdout.splitlines():
            assert not is_untranslated(line), (program, args, line)
        assert JAPANESE.search(ours.stdout) and not JAPANESE.search(theirs.stdout), (program, args)
        # Nothing is told in one language alone.
        options = re.compile(r"--[a-z][a-z-]+")
        assert set(options.findall(ours.stdout)) >= set(options.findall(theirs.stdout)), (program, args)


def test_wrong_use_is_told_in_the_readers_language():
    for program, uses in WRONG_USE.items():
        for args in uses:
            ours, theirs = japanese(program, *args), english(program, *args)
            assert ours.returncode == theirs.returncode != 0, (program, args, ours)
            lines = [line for line in ours.stderr.splitlines() if line and not CALL.match(line)]
            assert lines and all(JAPANESE.search(line) for line in lines), (program, args, ours.stderr)
            assert not JAPANESE.search(theirs.stderr), (program, args, theirs.stderr)


def test_mistakes_in_a_policy_are_told_in_the_readers_language_at_the_same_place():
    place = re.compile(r"^(.*:\d+:\d+:) (.*)$")
    told = 0
    for path in sorted((TOP / "tests" / "fuzz" / "corpus" / "policy").iterdir()):
        ours, theirs = japanese(CTL, "check-policy", str(path)), english(CTL, "check-policy", str(path))
        assert ours.returncode == theirs.returncode, path
        both = list(zip(ours.stderr.splitlines() + ours.stdout.splitlines(),
                        theirs.stderr.splitlines() + theirs.stdout.splitlines()))
        for mine, other in both:
            at = place.match(mine)
            if at:
                told += 1
                assert JAPANESE.search(at[2]), mine
                assert place.match(other)[1] == at[1] and not JAPANESE.search(place.match(other)[2]), other
    assert told > 20, told


def test_what_a_system_call_refused_is_told_in_japanese():
    done = japanese(CTL, "check-policy", "/nonexistent/policy")
    assert done.returncode == 1 and "ファイルまたはディレクトリーがありません" in done.stderr, done
    assert "No such file or directory" in english(CTL, "check-policy", "/nonexistent/policy").stderr


# --- who decides ---------------------------------------------------------------------------------

def test_the_first_variable_that_is_set_decides_whether_its_locale_is_installed_or_not():
    for env, expected in (({"LANG": "ja_JP.UTF-8"}, True), ({"LANG": "ja"}, True), ({"LANG": "C"}, False),
                          ({"LANG": "jam_JM.UTF-8"}, False), ({}, False), ({"LANG": "de_DE.UTF-8"}, False),
                          ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, False),
                          ({"LANG": "C", "LC_MESSAGES": "ja_JP.UTF-8"}, True),
                          ({"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "ja_JP.UTF-8"}, True)):
        for program in (CTL, DESK):
            said = run(program, "--help", **env).stdout
            assert bool(JAPANESE.search(said)) == expected, (program, env, said)


def test_no_variable_names_a_catalogue():
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory) / "evil" / "LC_MESSAGES"
        place.mkdir(parents=True)
        source = pathlib.Path(directory) / "evil.po"
        source.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
                          'msgid "Commands"\nmsgstr "FORGED"\n', encoding="utf-8")
        tool("msgfmt", "-o", place / "sekimori.mo", source)
        away = os.path.relpath(place.parent, BUILD / "locale")
        for language in (away, "../" + away, str(place.parent), "en"):
            for lang in ("ja_JP.UTF-8", "C.UTF-8", "en_US.UTF-8"):
                said = run(CTL, "--help", LANG=lang, LANGUAGE=language, TEXTDOMAINDIR=directory, NLSPATH=directory).stdout
                assert "FORGED" not in said, (lang, language)
                assert bool(JAPANESE.search(said)) == (lang == "ja_JP.UTF-8"), (lang, language)


def test_the_desk_speaks_the_language_it_is_told_to():
    assert JAPANESE.search(run(DESK, "--lang=ja", "--help", LANG="C").stdout)
    assert not JAPANESE.search(run(DESK, "--lang=en", "--help", LANG="ja_JP.UTF-8").stdout)


# --- what the daemon tells -----------------------------------------------------------------------

LITERAL = r'"(?:[^"\\]|\\.)*"'
VALUE = re.compile(r"%[-#0 +]*[\d.*]*(?:hh|h|ll|l|z|j)?[a-zA-Z]|%<PRI\w+>")
# Of the bus and its library, not in our sources; and pieces that the daemon fills in.
FOREIGN = ("Failed to connect to socket", "The name %", "Could not get owner", "Name \\\"", "Did not receive a reply",
           "Message recipient", "Launch helper", "first header:", "second header:", "medium number already",
           "LUKS UUID already", "the first header", "the second header", "key %: %", "expected the ")


def literals(text):
    """Adjacent literals as one, values as %."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    text = re.sub(r"\bPRI([a-z]\d+)\b", r'"<PRI\1>"', text)
    for group in re.finditer(rf"{LITERAL}(?:\s*{LITERAL})*", text):
        yield VALUE.sub("%", "".join(re.findall(LITERAL, group[0])).replace('""', "").strip('"'))


def is_told_in(text, others):
    """Most of it: what stands before a colon or in a gap may be filled in elsewhere."""
    piece = max(text.split("%"), key=len)
    size = max(min(len(piece), 8), len(piece) // 2)
    return any(piece[i:i + size] in others for i in range(len(piece) - size + 1))


def told_rows():
    table = (TOP / "userspace" / "cli" / "told.c").read_text(encoding="utf-8")
    return list(literals(table[table.index("rows[] = {"):table.index("};")]))


def test_what_the_tool_knows_again_is_what_the_daemon_tells():
    said = "\n".join(literal for folder in ("core", "inspect", "system", "daemon", "open", "bus", "doctor")
                     for path in sorted((TOP / "userspace" / folder).glob("*.[ch]"))
                     for literal in literals(path.read_text(encoding="utf-8")))
    rows = told_rows()
    assert len(rows) > 200
    for row in rows:
        assert row.startswith(FOREIGN) or is_told_in(row, said), f"nobody tells this any more: {row}"


def test_what_parsers_and_inspector_tell_is_known_again():
    rows = "\n".join(told_rows())
    catalogue_text = (PO / "ja.po").read_text(encoding="utf-8")
    told = 0
    for name in ("core/luks1", "core/luks2", "core/luks2-metadata", "core/bitlocker", "core/ptable", "core/ptable-gpt",
                 "core/ptable-mbr", "inspect/survey", "inspect/bot", "inspect/usb", "inspect/block"):
        source = (TOP / "userspace" / f"{name}.c").read_text(encoding="utf-8")
        source = re.sub(r"[Ss]tatic_assert\([^;]*;", "", source, flags=re.S)
        for literal in literals("\n".join(line for line in source.splitlines() if not line.startswith("#"))):
            if re.search(r"[a-z]{2,} [a-z]{2,}", literal):
                told += 1
                assert is_told_in(literal, rows) or f'msgid "{literal}"\n' in catalogue_text, f"{name}.c: told.c has no row for: {literal}"
    assert told > 120, told
