# SPDX-License-Identifier: GPL-2.0-or-later
"""Completion in a real bash and a real zsh, somebody at whose terminal presses the tab key."""
import contextlib
import os
import pathlib
import re
import signal
import tempfile
import time

from harness import BUILD, CTL, world
from test_exceptions_ctl import ask, office
from test_programs import DESK, registers, run
from typist import Typist

TOOLS = ("sekimorictl", "sekimori-desk")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]|[\x07\r]")
SHOW = "\x14"   # control-T: what may stand here
CLEAR = "\x1d"  # control-]: takes the line away; no key that the terminal itself looks at, which may see it first


class Shell(Typist):
    """An interactive shell that finds our completion where packages put it."""

    def __init__(self, argv, setup, env):
        super().__init__(argv, env)
        self.type(setup + "; echo rea''dy")
        self.expect("ready")

    def show(self, line):
        """What the shell shows for it, without the line itself."""
        self.seen = ""
        os.write(self.fd, (line + SHOW + CLEAR).encode())
        os.write(self.fd, b"echo @''@\n")
        seen = CONTROL.sub("", self.expect("@@"))
        return seen[:seen.index("@@")].replace("echo @''@", "")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        self.end()


@contextlib.contextmanager
def bash(env):
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory) / "completions"
        place.mkdir()
        for tool in TOOLS:
            (place / tool).symlink_to(BUILD / "completion/bash" / tool)
        shell = Shell(["/bin/bash", "--norc", "--noprofile", "-i"],
                      "PS1=; . /usr/share/bash-completion/bash_completion; stty columns 200; "
                      "bind '\"\\C-t\": possible-completions'; bind '\"\\C-]\": kill-whole-line'; bind 'set completion-display-width 0'; bind 'set page-completions off'; "
                      "bind 'set completion-query-items 0'; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'",
                      {**env, "BASH_COMPLETION_USER_DIR": directory, "HISTFILE": ""})
        try:
            yield shell
        finally:
            shell.close()


@contextlib.contextmanager
def zsh(env):
    with tempfile.TemporaryDirectory() as directory:
        for tool in TOOLS:
            (pathlib.Path(directory) / f"_{tool}").symlink_to(BUILD / "completion/zsh" / tool)
        shell = Shell(["/bin/zsh", "-f", "-i"],
                      f"PS1=; stty columns 200 rows 500; fpath=({directory} $fpath); autoload -Uz compinit; compinit -u -D; "
                      "LISTMAX=1000; setopt no_beep no_always_last_prompt; bindkey '^T' list-choices; bindkey '^]' kill-whole-line", env)
        try:
            yield shell
        finally:
            shell.close()


def environment(**more):
    return {"PATH": f"{BUILD}:{os.environ['PATH']}", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TERM": "dumb", "HOME": "/nonexistent",
            **more}


def words(shown):
    """Without what zsh says about them."""
    return set(re.sub(r" -- .*", "", shown).split())


# Line, what must be offered, what must not be.
CASES = (
    ("sekimorictl ", {"status", "log", "request", "check-policy", "help"}, {"show", "--json", "completion"}),
    ("sekimorictl log ", {"show", "follow", "verify", "export"}, {"status", "history"}),
    ("sekimorictl --json log ", {"show", "follow", "verify", "export"}, {"status"}),
    ("sekimorictl policy ", {"history", "diff"}, {"sign"}),
    ("sekimorictl help exception ", {"show", "form", "report", "confirm", "close", "clock"}, {"status"}),
    ("sekimorictl log show --format=", {"table", "json", "csv", "cef"}, {"html"}),
    ("sekimorictl report --format=", {"text", "html", "csv"}, {"cef"}),
    ("sekimorictl log show --verdict ", {"allow", "block"}, {"show"}),
    ("sekimorictl log show --kind=volume-o", {"volume-opening", "volume-opened"}, {"denied"}),
    ("sekimorictl log show --reason=not-reg", {"not-registered"}, {"denied"}),
    ("sekimorictl request --data-class=", {"I", "II", "III"}, {"IV"}),
    ("sekimorictl requests --state=re", {"requested", "revoked", "returned"}, {"live"}),
    ("sekimorictl check-policy /etc/pass", {"passwd"}, {"status"}),
    ("sekimori-desk ", {"init", "issue", "terminal", "grant"}, {"keygen"}),
    ("sekimori-desk --desk /tmp grant ", {"keygen", "list"}, {"init"}),
    ("sekimori-desk issue --filesystem=", {"exfat", "ext4"}, {"ntfs"}),
    ("sekimori-desk answer rules --kind=c", {"camera-or-phone", "composite"}, {"printer"}),
    ("sekimori-desk list --status ", {"active", "lent", "lost", "revoked", "disposed"}, {"list"}),
)


def check_cases(shell):
    for line, offered, not_offered in CASES:
        found = words(shell.show(line).replace(line, " "))
        assert offered <= found and not not_offered & found, (line, offered - found, not_offered & found, found)


def test_bash_offers_what_fits():
    with bash(environment()) as shell:
        check_cases(shell)


def test_zsh_offers_what_fits_and_says_what_it_is():
    with zsh(environment()) as shell:
        check_cases(shell)
        assert "does the barrier stand?" in shell.show("sekimorictl stat")
        assert "table, json, csv or cef" in shell.show("sekimorictl log show --for")


def test_zsh_says_what_it_is_in_japanese_to_who_reads_that():
    ja = {"LC_ALL": "", "LC_MESSAGES": "ja_JP.UTF-8", "LC_CTYPE": "C.UTF-8"}
    with zsh(environment(**ja)) as shell:
        check_cases(shell)
        for line, japanese in (("sekimorictl stat", "関門"), ("sekimorictl log sh", "記録"), ("sekimorictl log show --for", "json"),
                               ("sekimori-desk ini", "窓口")):
            shown = shell.show(line)
            assert japanese in shown and re.search("[ぁ-ん]", shown), (line, shown)
        assert "does the barrier stand?" not in shell.show("sekimorictl stat")


def test_every_command_and_option_is_offered():
    """By both shells, from the tables: nothing has to be entered anywhere else."""
    with bash(environment()) as first, zsh(environment()) as second:
        for tool in TOOLS:
            names = re.findall(r"^`([a-z -]+)`", run(BUILD / tool, "completion", "commands").stdout, re.M)
            assert len(names) > 30, names
            for shell in (first, second):
                offered = words(shell.show(f"{tool} "))
                assert {name.split()[0] for name in names} <= offered, (tool, offered)
            for name in names:
                options = set(re.findall(r"^  (--[a-z-]+)", run(BUILD / tool, *name.split(), "--help").stdout, re.M))
                for shell in (first, second):
                    offered = {word.rstrip("=") for word in words(shell.show(f"{tool} {name} --"))}
                    assert options <= offered, (tool, name, options - offered)


def test_the_tab_key_writes_out_what_is_meant():
    with bash(environment()) as shell:
        # Loaded when it is needed, as packages' completion is.
        shell.show("sekimorictl ")
        shell.type("complete -p sekimorictl; echo @''@")
        assert "complete -F _sekimorictl sekimorictl" in shell.expect("@@")
        os.write(shell.fd, b"sekimorictl() { echo \"<$*>\"; }\n")
        for typed, written in (("sekimorictl exce\tsh\t7", "<exception show 7>"), ("sekimorictl log show --form\tj\t", "<log show --format=json>"),
                               ("sekimorictl log show --verd\tal\t", "<log show --verdict=allow>")):
            shell.seen = ""
            os.write(shell.fd, typed.encode() + b"\n")
            shell.expect(written)


# --- values that change ----------------------------------------------------------------------------

def values(w, what, **more):
    done = w.run(CTL, "completion", "values", what, **more)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def test_devices_and_exceptions_are_offered_and_nobody_is_asked():
    with office() as w:
        number = ask(w)
        w.polkit.say("yes")
        before = list(w.polkit.asked)
        w.tell("add 2")
        offered = values(w, "exceptions", user=65534)
        assert offered.split("\t")[0] == str(number) and "\t" in offered, offered
        devices = values(w, "devices", user=65534)
        # What a device calls itself steers no terminal.
        assert {line.split("\t")[0] for line in devices.splitlines()} >= {"1-0"} and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", devices), devices
        assert values(w, "blocked").startswith("1-0\t"), values(w, "blocked")
        w.polkit.say("yes")
        assert w.polkit.asked == before, w.polkit.asked
        env = environment(DBUS_SYSTEM_BUS_ADDRESS=w.address)
        with bash(env) as first, zsh(env) as second:
            for shell in (first, second):
                assert str(number) in words(shell.show("sekimorictl approve ")), shell.seen
                assert "1-0" in words(shell.show("sekimorictl rule-for ").replace("rule-for", "")), shell.seen
                assert "1-0" in words(shell.show("sekimorictl request ").replace("request", "")), shell.seen


def test_a_keeper_that_does_not_answer_delays_nobody():
    with world() as w:
        os.kill(w.daemon.pid, signal.SIGSTOP)
        try:
            start = time.monotonic()
            assert values(w, "devices") == ""
            # A second, and what a busy machine takes to start a program; a client waits three.
            assert time.monotonic() - start < 2.9
        finally:
            os.kill(w.daemon.pid, signal.SIGCONT)
    with world() as w:
        w.bus_stop()
        assert w.run(CTL, "completion", "values", "devices").returncode == 0


def test_media_of_the_register_are_offered_and_nothing_in_them_is_run():
    with tempfile.TemporaryDirectory() as directory:
        desk = registers(directory)
        mark = pathlib.Path(directory) / "mark"
        table = pathlib.Path(directory) / "more.csv"
        table.write_text("number,id,serial,encryption,luks_uuid,holder\n"
                         f'"$(touch {mark})",46f4:0001,S2,luks2,4d2d7a5c-8c1f-4f0e-9d53-2f4f0a6d1c12,x\n'
                         f'A-2,46f4:0001,S3,luks2,4d2d7a5c-8c1f-4f0e-9d53-2f4f0a6d1c13,`touch {mark}`\n'
                         "税-3,46f4:0001,S4,luks2,4d2d7a5c-8c1f-4f0e-9d53-2f4f0a6d1c14,鈴木\n", encoding="utf-8")
        done = run(DESK, *desk, "import", str(table))
        assert done.returncode == 0, done
        for env, more in ((environment(), desk[0] + " "), (environment(SEKIMORI_DESK=desk[0].partition("=")[2]), "")):
            with bash(env) as first, zsh(env) as second:
                for shell in (first, second):
                    line = f"sekimori-desk {more}show "
                    found = words(shell.show(line).replace(line, ""))
                    assert {"A-1", "A-2", "税-3"} <= found and not any("touch" in word and "$" in word for word in found), found
        assert not mark.exists()
