# SPDX-License-Identifier: GPL-2.0-or-later
"""What all programs have in common: --help, --version, wrong use, exit statuses, colours, the pager."""
import os
import pathlib
import re
import subprocess
import tempfile

from harness import BUILD, TOP, world
from typist import Typist

VERSION = re.search(r"^VERSION := (\S+)$", (TOP / "Makefile").read_text(encoding="utf-8"), re.M)[1]
CTL, DESK = BUILD / "sekimorictl", BUILD / "sekimori-desk"
PROGRAMS = sorted(path for path in BUILD.glob("sekimori*") if path.is_file() and os.access(path, os.X_OK) and not path.suffix)
ESCAPE = "\x1b"


def run(program, *args, stdout=subprocess.PIPE, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "SEKIMORI", "PAGER", "NO_COLOR"))}
    return subprocess.run([str(program), *args], env={**clean, "LANG": "C", **env}, stdout=stdout, stderr=subprocess.PIPE,
                          text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)


def installed():
    """Programs that `make install` installs."""
    return set(re.findall(r"\$\(INSTALL\) 755 \$\(BUILD\)/(sekimori[a-z-]*) ", (TOP / "Makefile").read_text(encoding="utf-8")))


def test_every_program_is_looked_at():
    assert installed() == {path.name for path in PROGRAMS}, (installed(), PROGRAMS)


def test_help_and_version_go_to_standard_output_and_succeed():
    for program in PROGRAMS:
        done = run(program, "--version")
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{program.name} {VERSION}\n", ""), done
        done = run(program, "--help")
        assert done.returncode == 0 and not done.stderr and program.name in done.stdout, done
        assert "--help" in done.stdout and "--version" in done.stdout, done
        for line in done.stdout.splitlines():
            assert ESCAPE not in line and line == line.rstrip(), (program, line)


def test_an_inspector_that_waits_takes_no_option_that_it_would_not_obey():
    for more in ("--read-only", "--deadline=500", "--devnum=8:0", "--wait"):
        for args in (["--wait", more], [more, "--wait"]):
            done = run(BUILD / "sekimori-inspect", *args)
            assert (done.returncode, done.stdout) == (2, "") and "--wait takes no other option" in done.stderr, (args, done)


def test_the_usage_comes_first_and_looks_alike_everywhere():
    for program in PROGRAMS:
        for language, word in (("C", "Usage:"), ("ja_JP.UTF-8", "使い方:")):
            first = run(program, "--help", LANG=language).stdout.splitlines()[0]
            assert re.match(rf"{word} {program.name}( |$)", first), (program, first)


def test_what_is_called_and_what_it_does_stand_apart_in_the_help():
    for program in (CTL, DESK):
        for args in (["--help"], ["help", "list"], ["help", "provision"]):
            for language in ("C", "ja_JP.UTF-8"):
                lines = run(program, *args, LANG=language).stdout.splitlines()
                rows = [at for at, line in enumerate(lines) if re.match(r"  [-a-z]", line)]
                assert len(rows) > 5 or args[0] == "help" and rows, (program, args, lines)
                for at in rows:
                    # Two blanks, or a line of its own and the words below.
                    if not re.match(r"  \S.*? {2,}\S", lines[at]):
                        assert re.match(r" {20,}\S", lines[at + 1]), (program, args, lines[at:at + 2])


def test_what_cannot_be_written_is_a_failure():
    with open("/dev/full", "w", encoding="ascii") as full:
        for program in PROGRAMS:
            for option in ("--help", "--version"):
                assert run(program, option, stdout=full).returncode == 1, (program, option)


def test_an_unknown_option_is_wrong_use():
    for program in PROGRAMS:
        for args in (["--zz"], ["--help=1"], ["-z"]):
            done = run(program, *args)
            assert done.returncode == 2 and not done.stdout and done.stderr.startswith(program.name), (program, args, done)


def test_what_was_mistyped_is_answered_with_the_nearest():
    for program, args, told in ((CTL, ["lsit"], "list"), (CTL, ["polcy", "history"], "policy history"),
                                (CTL, ["log", "shw"], "log show"), (CTL, ["doctr", "--json"], "doctor"),
                                (CTL, ["aprove", "3"], "approve"), (CTL, ["help", "reprot"], "report"),
                                (CTL, ["log", "show", "--formt=csv"], "--format"), (CTL, ["list", "--jsno"], "--json"),
                                (DESK, ["retrun", "1"], "return"), (DESK, ["terminl", "list"], "terminal list"),
                                (DESK, ["list", "--holdr=x"], "--holder")):
        done = run(program, *args)
        assert done.returncode == 2 and f"Did you mean '{told}'?" in done.stderr.splitlines(), (args, done)
        assert run(program, *args, LANG="ja_JP.UTF-8").stderr.count(f"「{told}」ではありませんか。") == 1, args


def test_nothing_is_guessed_from_what_is_far_from_everything():
    for program in (CTL, DESK):
        for args in (["xyzzy"], ["--zz"], ["l"], ["a" * 5000], ["--" + "a" * 5000], ["log", "xyzzy"], [""], ["\x1b[31m"]):
            done = run(program, *args)
            assert done.returncode == 2 and "Did you mean" not in done.stderr and ESCAPE not in done.stderr, (args, done)


def test_completion_takes_what_it_knows_only():
    for program in (CTL, DESK):
        for args in ([], ["fish"], ["bash", "more"], ["values"], ["values", "nothing"], ["values", "media", "more"]):
            done = run(program, "completion", *args)
            assert done.returncode == 2 and not done.stdout and "completion takes bash, zsh" in done.stderr, (args, done)
        assert "completion" not in run(program, "--help").stdout


# --- colours and the pager, on a terminal --------------------------------------------------------

def screen(argv, env):
    """What a program shows on a terminal until it ends, and its exit status."""
    typist = Typist([str(argv[0]), *argv[1:]], env)
    status = typist.end()
    return typist.seen, status


def registers(directory):
    """A desk with a loan that is overdue, which is red."""
    desk = pathlib.Path(directory) / "desk"
    passphrases = pathlib.Path(directory) / "passphrases"
    passphrases.write_text("correct horse battery staple\n", encoding="ascii")
    table = pathlib.Path(directory) / "media.csv"
    table.write_text("number,id,serial,encryption,luks_uuid,status\n"
                     "A-1,46f4:0001,S1,luks2,4d2d7a5c-8c1f-4f0e-9d53-2f4f0a6d1c11,lost\n", encoding="ascii")
    common = [f"--desk={desk}", "--by=tester", f"--passphrase-file={passphrases}"]
    for args in (["init", "--quick-kdf", "--policy-signer=Sato"], ["import", str(table)]):
        done = run(DESK, *common, *args)
        assert done.returncode == 0, done
    return common


def test_colours_are_for_terminals_and_for_who_wants_them():
    with tempfile.TemporaryDirectory() as directory, world() as w:
        desk = registers(directory)
        w.tell("add 1-2 denied")
        for argv in ([CTL, "list"], [DESK, *desk, "list"]):
            env = {**w.env, "SEKIMORI_PAGER": ""}
            assert ESCAPE in screen(argv, env)[0], argv
            assert ESCAPE not in screen([*argv, "--no-color"], env)[0], argv
            assert ESCAPE not in screen(argv, {**env, "NO_COLOR": "1"})[0], argv
            assert ESCAPE in screen(argv, {**env, "NO_COLOR": ""})[0], argv
            assert ESCAPE not in run(argv[0], *argv[1:], **w.env).stdout, argv


def test_the_pager_is_the_one_that_was_chosen():
    if os.getuid() == 0:
        # As root it is less, whatever the environment says: a stranger may have set it.
        return page_as_root()
    return page_as_user({"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm"})


def page_as_user(env, user=None):
    with tempfile.TemporaryDirectory() as directory:
        desk = registers(directory)
        if user is not None:
            for path in [pathlib.Path(directory), *pathlib.Path(directory).rglob("*")]:
                os.chown(path, user, user)
        become = [] if user is None else ["/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        argv = [*become, str(DESK), *desk, "list"]
        loud = "sed s/A-1/PAGED/"
        for choice, paged in (({"SEKIMORI_PAGER": loud}, True), ({"PAGER": loud}, True), ({"PAGER": loud, "SEKIMORI_PAGER": "cat"}, False),
                              ({"PAGER": "cat", "SEKIMORI_PAGER": loud}, True), ({"PAGER": loud, "SEKIMORI_PAGER": ""}, False)):
            seen, status = screen(argv, {**env, **choice})
            assert status == 0 and ("PAGED" in seen) == paged and ("A-1" in seen) == (not paged), (choice, seen)
        seen, status = screen([*argv, "--no-pager"], {**env, "SEKIMORI_PAGER": loud})
        assert status == 0 and "A-1" in seen and "PAGED" not in seen, seen


def page_as_root():
    with tempfile.TemporaryDirectory() as directory:
        desk = registers(directory)
        seen, status = screen([DESK, *desk, "list"], {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm",
                                                      "SEKIMORI_PAGER": "sed s/A-1/PAGED/", "PAGER": "sed s/A-1/PAGED/"})
        assert status == 0 and "PAGED" not in seen and "A-1" in seen, seen
    page_as_user({"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm"}, 65534)
