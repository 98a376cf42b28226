# SPDX-License-Identifier: GPL-2.0-or-later
"""`sekimorictl provision` and `sekimori-desk provision`: what a terminal has afterwards, and that a bad one changes nothing."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

from desks import PATIENCE, desk
from harness import BUILD, CTL, TOP

POLICY = "policy shiyakusho\nversion {}\nencryption luks2\nallow with-interface match-all {{ 03:*:* }}\n"
CONF = """# settings of this terminal
# terminal          (the host name)
  log-rotate-mib   64   # a small disk
inspect-deadline 8
"""
HEX_KEY = "9a" * 32


def run(*args, env=None, **more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG"))}
    return subprocess.run([str(CTL), *map(str, args)], env={**clean, "LANG": "C.UTF-8", **(env or {})}, capture_output=True,
                          text=True, timeout=PATIENCE, check=False, **more)


class Place:
    """A root to be provisioned, and what a desk hands over for it."""

    def __init__(self, directory, d):
        self.directory, self.desk = pathlib.Path(directory), d
        self.root = self.directory / "root"
        self.source = self.directory / "source"
        self.conf = self.root / "etc/sekimori/sekimorid.conf"
        self.conf.parent.mkdir(parents=True)
        self.conf.write_text(CONF)
        self.source.mkdir()

    def run(self, source=None, *args, **more):
        return run("provision", f"--root={self.root}", *([source] if source else []), *args, **more)

    def done(self, *args, **more):
        done = self.run(*args, **more)
        assert done.returncode == 0, done
        return done

    def json(self, *args, status=0, **more):
        done = self.run(*args, "--json", **more)
        assert done.returncode == status, done
        return json.loads(done.stdout)

    def refused(self, *args, **more):
        """What it says; and that nothing in the root is other than before."""
        before = tree(self.root)
        done = self.run(*args, **more)
        assert done.returncode == 1 and not done.stdout, done
        assert tree(self.root) == before, done
        return done.stderr

    def write(self, name, content, mode=0o644):
        path = self.source / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return path

    def fill(self, version=5):
        """All that an unattended image gets."""
        self.write("provision.conf", 'sekimori-provision 1\nterminal "ZEI-014"\nlog-rotate-mib 32\n')
        self.write("desk-log.pub", self.desk.read("desk/keys/desk-log.pub"))
        self.write("trust.d/sekimori-desk.trust", self.desk.read("desk/trust/sekimori-desk.trust"))
        self.sign(version)

    def sign(self, version, key="policy-1"):
        path = self.write("policy", POLICY.format(version))
        for old in self.source.glob("*.minisig"):
            old.unlink()
        self.desk.ok("policy", "sign", path, f"--sign={key}")


def key_of(d, name="policy-1"):
    return d.read(f"desk/keys/{name}.pub").splitlines()[1]


def tree(root):
    """Everything below it, but the directory that keeps two runs apart."""
    found = {}
    for path in sorted(pathlib.Path(root).rglob("*")):
        st = path.lstat()
        name = str(path.relative_to(root))
        if name in ("var", "var/lib", "var/lib/sekimori", "var/lib/sekimori/provision"):
            continue
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[name] = (stat.S_IMODE(st.st_mode), st.st_ino if path.is_file() else 0, st.st_mtime_ns if path.is_file() else 0, content)
    return found


def contents(root):
    return {name: (mode, content) for name, (mode, _, _, content) in tree(root).items()}


@contextlib.contextmanager
def place(log_key=True):
    with desk() as d, tempfile.TemporaryDirectory(prefix="sekimori-provision-") as directory:
        if log_key:
            d.ok("log", "keygen", "--quick-kdf")
        yield Place(directory, d)


# --- a directory ------------------------------------------------------------------------------------


def test_a_directory_sets_a_terminal_up_once_and_then_there_is_nothing_to_do():
    with place() as p:
        p.fill()
        key = f"--key={key_of(p.desk)}"
        planned = p.json(p.source, key, "--check", status=1)
        assert planned["changed"] and planned["check"] and p.conf.read_text() == CONF
        assert not (p.root / "etc/sekimori/policy").exists()
        done = p.json(p.source, key)
        assert done["ok"] and done["changed"] and done["daemon"] == "image", done
        assert done["changes"] == planned["changes"]
        assert {c["what"] for c in done["changes"]} == {"log-key", "trust", "signature", "policy", "settings"}, done
        etc = p.root / "etc/sekimori"
        assert p.conf.read_text() == CONF.replace("64 ", "32 ") + 'terminal ZEI-014\n'
        for name in ("policy", "desk-log.pub", "trust.d/sekimori-desk.trust", "policy.policy-1.minisig"):
            assert (etc / name).read_bytes() == (p.source / name).read_bytes(), name
            assert stat.S_IMODE((etc / name).stat().st_mode) == 0o644
        before = tree(p.root)
        again = p.json(p.source)
        assert again["ok"] and not again["changed"] and not again["changes"] and tree(p.root) == before, again
        assert "nothing to do" in p.done(p.source).stdout
        assert p.run(p.source, "--check").returncode == 0 and tree(p.root) == before


def test_what_the_desk_took_out_goes_and_only_what_differs_is_written():
    with place() as p:
        p.fill()
        p.done(p.source, f"--key={key_of(p.desk)}")
        etc = p.root / "etc/sekimori"
        (etc / "trust.d/old.trust").write_text('key old "%s"\n' % key_of(p.desk, "media"))
        (etc / "policy.gone.minisig").write_text("x")
        p.sign(6, "policy-2")
        log_key = (etc / "desk-log.pub").stat().st_ino
        assert "trust keys that this terminal does not have" in p.refused(p.source)
        done = p.json(p.source, f"--key={key_of(p.desk, 'policy-2')}")
        assert {(c["path"].removeprefix("/etc/sekimori/"), c["change"]) for c in done["changes"]} == {
            ("policy", "replaced"), ("policy.policy-2.minisig", "new"), ("policy.policy-1.minisig", "removed"),
            ("policy.gone.minisig", "removed"), ("trust.d/old.trust", "removed")}, done
        assert (etc / "desk-log.pub").stat().st_ino == log_key


def test_a_bad_directory_is_refused_whole_and_says_why():
    with place() as p:
        def conf(text):
            return lambda: p.write("provision.conf", text)

        def signed_by_a_stranger():
            with desk() as other:
                path = p.write("policy", POLICY.format(7))
                for old in p.source.glob("*.minisig"):
                    old.unlink()
                other.ok("policy", "sign", path, "--sign=policy-1")

        def unparsed():
            path = p.write("policy", "policy x\nversion 9\nallow nonsense\n")
            subprocess.run(["minisign", "-S", "-s", p.desk.path / "keys/policy-1.key", "-m", path, "-x", f"{path}.policy-1.minisig"],
                           input="four unrelated words here\n", text=True, check=True, capture_output=True, timeout=PATIENCE)

        def link():
            target = p.write("../elsewhere", "x")
            (p.source / "desk-log.pub").unlink()
            (p.source / "desk-log.pub").symlink_to(target)

        rows = [
            ("desk_log.pub is nothing that", lambda: p.write("desk_log.pub", HEX_KEY)),
            ("expected the line: sekimori-provision 1", conf("terminal a\n")),
            ("1:1: error: expected the line", conf("")),
            ("a provisioning does not set this", conf("sekimori-provision 1\nopener /tmp/mine\n")),
            ("given twice", conf("sekimori-provision 1\nterminal a\nterminal b\n")),
            ("log-rotate-mib: expected a whole number", conf("sekimori-provision 1\nlog-rotate-mib 0\n")),
            ("made stands in signed files only", conf("sekimori-provision 1\nmade 2026-11-21T00:00:00Z\n")),
            ("is too large", conf("sekimori-provision 1\n" + "#" * 16384)),
            ("64 hexadecimal digits", lambda: p.write("desk-log.pub", "00" * 32 + "\n")),
            ("64 hexadecimal digits", lambda: p.write("desk-log.pub", HEX_KEY[2:] + "\n")),
            ("must be a regular file", link),
            ("nobody else may write", lambda: (p.source / "policy").chmod(0o666)),
            ("nobody else may write", lambda: os.chown(p.source / "policy", 65534, 65534)),
            ("must be a directory that belongs to root", lambda: p.source.chmod(0o777)),
            ("does not match the file", lambda: (p.source / "policy").write_text(POLICY.format(8))),
            ("a key that is not in trust.d", signed_by_a_stranger),
            ("is not signed", lambda: [path.unlink() for path in p.source.glob("*.minisig")]),
            ("none of it is used", unparsed),
            ("signatures of a policy, but no policy", lambda: (p.source / "policy").unlink()),
            ("the trust keys in", lambda: p.write("trust.d/sekimori-desk.trust", "key policy x\n")),
            ("chmod 600", lambda: p.write("organisation.key", b"k" * 32)),
            ("not put into an image", lambda: p.write("organisation.key", b"k" * 32, 0o600)),
        ]
        for expected, spoil in rows:
            shutil.rmtree(p.source)
            p.source.mkdir()
            p.fill()
            spoil()
            said = p.refused(p.source, f"--key={key_of(p.desk)}")
            assert expected in said, (expected, said)
            p.source.chmod(0o755)
        assert "No such file" in p.refused(p.source / "absent")
        p.fill()
        (p.source / "organisation.key").unlink()
        assert "is neither" in p.refused(p.source, "--key=RWnonsense")
        with desk() as other:
            assert "another desk's" in p.refused(p.source, f"--key={key_of(other)}")
        p.conf.write_text("colour red\n")
        assert "correct them first" in p.refused(p.source, f"--key={key_of(p.desk)}")


def accept(root, version):
    """That version is in force on this terminal: as core/floor.h has it, and its history."""
    policy = POLICY.format(version).encode()
    state = root / "var/lib/sekimori/policy"
    state.mkdir(parents=True, exist_ok=True)
    (state / "1.policy").write_bytes(policy)
    digest = blake2b(policy)
    seal = blake2b(digest.encode() + b"\0")
    text = f"sekimori-floor 1\nentry 1\nversion {version}\nsigned no\ndigest {digest}\nseal {seal}\nsignatures 0\n"
    (state / "floor").write_text(text + f"sum {blake2b(text.encode())}\n")


def blake2b(data):
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def test_an_older_policy_than_was_in_force_is_refused():
    with place() as p:
        p.fill(version=5)
        accept(p.root, 6)
        assert "version 5 is lower than 6" in p.refused(p.source, f"--key={key_of(p.desk)}")
        p.sign(7)
        p.done(p.source, f"--key={key_of(p.desk)}")


def test_whoever_kills_it_leaves_what_the_next_run_completes():
    with place() as p:
        p.fill()
        key = f"--key={key_of(p.desk)}"
        p.done(p.source, key)
        whole = contents(p.root)
        p.desk.ok("policy", "sign", p.source / "policy", "--sign=policy-2")
        shutil.rmtree(p.root / "var")
        (p.source / "policy.policy-1.minisig").unlink()
        p.write("provision.conf", 'sekimori-provision 1\nterminal "ZEI-015"\n')
        start = p.directory / "start"
        shutil.copytree(p.root, start)
        p.done(p.source, key)
        goal, at, deaths = contents(p.root), 0, 0
        assert goal != whole
        while True:
            at += 1
            shutil.rmtree(p.root)
            shutil.copytree(start, p.root)
            done = p.run(p.source, key, env={"LD_PRELOAD": str(BUILD / "integration/kill-at.so"), "KILL_AT": str(at),
                                             "TMPDIR": str(p.directory)})
            if done.returncode == 0:
                break
            assert done.returncode == -9, done
            deaths += 1
            # Each file is as it was or as it is to be; only what was being written lies beside it.
            for name, file in contents(p.root).items():
                assert file in (contents(start).get(name), goal.get(name)) or name.endswith(".new"), (at, name)
            assert p.json(p.source, key)["ok"], at
            assert {k: v for k, v in contents(p.root).items() if not k.endswith(".new")} == goal, at
        assert deaths >= 8 and contents(p.root) == goal, deaths


def test_two_at_once_do_not_mix():
    with place() as p:
        p.fill()
        state = p.root / "var/lib/sekimori/provision"
        state.mkdir(parents=True, mode=0o700)
        held = os.open(state, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another provisioning is at work" in p.refused(p.source, f"--key={key_of(p.desk)}")
        os.close(held)
        p.done(p.source, f"--key={key_of(p.desk)}")


def test_an_image_is_warned_of_and_a_link_in_it_leads_nowhere_else():
    with place() as p:
        p.fill()
        outside = p.directory / "outside"
        outside.mkdir()
        shutil.rmtree(p.root / "etc/sekimori")
        (p.root / "etc/sekimori").symlink_to("/outside/conf")
        secret = p.root / "var/lib/systemd/credential.secret"
        secret.parent.mkdir(parents=True)
        secret.write_bytes(b"x")
        signing = p.root / "var/lib/dkms/mok.key"
        signing.parent.mkdir(parents=True)
        signing.write_bytes(b"x")
        p.done("--enrol")
        said = p.refused(p.source, f"--key={key_of(p.desk)}")
        assert "/etc/sekimori" in said and not list(outside.iterdir()), said
        (p.root / "etc/sekimori").unlink()
        done = p.done(p.source, f"--key={key_of(p.desk)}")
        for name in "credential.secret", "provision/key", "mok.key":
            assert f"{name} is one machine's own" in done.stderr, (name, done)


def test_it_speaks_both_languages():
    with place() as p:
        p.fill()
        japanese = {"LANG": "ja_JP.UTF-8"}
        said = p.refused(p.source, env=japanese)
        assert "照合" in said and "--key=RW…" in said, said
        assert "/etc/sekimori/policy: 書き込みました" in p.done(p.source, f"--key={key_of(p.desk)}", env=japanese).stdout
        assert "行うことはありません" in p.done(p.source, env=japanese).stdout
        assert run("provision", env=japanese).returncode == 2


# --- a signed file -----------------------------------------------------------------------------------


def handed_over(p, *args, terminal="ZEI-014", sign="policy-1"):
    path = p.directory / "ZEI-014.provision"
    p.desk.ok("provision", terminal, f"--out={path}", f"--sign={sign}", f"--policy={p.source}/policy", *args)
    return path


def test_a_signed_file_sets_up_its_own_terminal_alone():
    with place() as p:
        p.fill()
        p.desk.ok("terminal", "add", "--quick-kdf", "ZEI-014")
        enrolled = p.done("--enrol").stdout.strip()
        assert len(enrolled) == 64 and p.done("--enrol").stdout.strip() == enrolled
        assert stat.S_IMODE((p.root / "var/lib/sekimori/provision/key").stat().st_mode) == 0o600
        path = handed_over(p, "--set=log-rotate-days=7", f"--seal-to={enrolled}", "--organisation-key", "--telephone-key")
        assert "trusts nobody yet" in p.refused(path)
        with desk() as other:
            assert "not signed by the key that --key gives" in p.refused(path, f"--key={key_of(other)}")
        key = f"--key={key_of(p.desk)}"
        assert "not put into an image" in p.refused(path, key)
        done = p.json(path, key, "--plain-secrets")
        assert {c["what"] for c in done["changes"]} == {"log-key", "trust", "signature", "policy", "settings", "credential",
                                                        "made"}, done
        store = p.root / "etc/credstore"
        assert stat.S_IMODE(store.stat().st_mode) == 0o700
        assert stat.S_IMODE((store / "sekimori.organisation").stat().st_mode) == 0o600
        p.desk.ok("organisation-key", "export", p.directory / "organisation")
        p.desk.ok("terminal", "key", "ZEI-014", f"--out={p.directory}/telephone")
        assert (store / "sekimori.organisation").read_bytes() == (p.directory / "organisation").read_bytes()
        assert (store / "sekimori.telephone").read_bytes() == (p.directory / "telephone").read_bytes()
        for secret in (p.directory / "organisation").read_bytes(), bytes.fromhex((p.directory / "telephone").read_text().split('"')[3]):
            assert secret not in path.read_bytes() and secret.hex().encode() not in path.read_bytes()
        assert "log-rotate-days 7" in p.conf.read_text() and "terminal ZEI-014" in p.conf.read_text()
        # From now on its own trust keys decide.
        before = tree(p.root)
        assert not p.json(path, "--plain-secrets")["changed"] and tree(p.root) == before
        assert p.desk.json("terminal", "list")[0]["exported"]


def test_a_signed_file_that_is_old_altered_or_not_for_here_is_refused():
    with place() as p:
        p.fill()
        key = f"--key={key_of(p.desk)}"
        first = handed_over(p)
        kept = p.directory / "kept"
        for suffix in ("", ".minisig"):
            shutil.copy(str(first) + suffix, str(kept) + suffix)
        p.done(first, key)
        text = (p.root / "var/lib/sekimori/provision/made").read_text()
        (p.root / "var/lib/sekimori/provision/made").write_text("2099-01-01T00:00:00Z\n")
        said = p.refused(first)
        assert "one of 2099-01-01T00:00:00Z was taken in already" in said and "remove /var/lib/sekimori/provision/made" in said, said
        (p.root / "var/lib/sekimori/provision/made").write_text(text)
        # A desk whose clock is ahead would shut out all its later files.
        behind = {"LD_PRELOAD": str(BUILD / "integration/other-clock.so"), "CLOCK_SHIFT": "-172800"}
        assert "still to come by this terminal's clock" in p.refused(first, env=behind)
        p.done(first, env={**behind, "CLOCK_SHIFT": "-3600"})
        assert "for terminal ZEI-099, and this is ZEI-014" in p.refused(handed_over(p, terminal="ZEI-099"))
        stranger = "11" * 31 + "12"
        assert "this terminal has no key yet" in p.refused(handed_over(p, f"--seal-to={stranger}", "--organisation-key"),
                                                           "--plain-secrets")
        p.done("--enrol")
        assert "sealed to another key" in p.refused(handed_over(p, f"--seal-to={stranger}", "--organisation-key"), "--plain-secrets")
        whole = kept.read_bytes()
        for broken, expected in ((whole[:-1], "does not match the file"), (whole.replace(b"version 5", b"version 9"), "does not match"),
                                 (whole + b"\0", "does not match")):
            kept.write_bytes(broken)
            assert expected in p.refused(kept), expected
        kept.write_bytes(whole)
        (p.directory / "kept.minisig").unlink()
        assert "is not signed" in p.refused(kept) and "is not signed" in p.refused(kept, key)
        # Signed by the right people, but no such file.
        p.desk.ok("policy", "sign", p.write("policy", POLICY.format(9)), "--sign=policy-1")
        assert "is no provisioning file" in p.refused(p.source / "policy")


def test_the_desk_signs_nothing_that_terminals_would_refuse():
    with place(log_key=False) as p:
        p.write("policy", POLICY.format(5))
        out = p.directory / "out"
        base = ("provision", "ZEI-014", f"--out={out}")
        assert "not the signatures that terminals require" in p.desk.refused(*base, "--sign=policy-1", f"--policy={p.source}/policy")
        assert "say with which key" in p.desk.refused(*base, status=2)
        assert "needs --out" in p.desk.refused("provision", "ZEI-014", "--sign=policy-1", status=2)
        assert "sealed to the terminal" in p.desk.refused(*base, "--sign=policy-1", "--organisation-key", status=2)
        assert "64 hexadecimal digits" in p.desk.refused(*base, "--sign=policy-1", "--seal-to=" + "00" * 32, status=2)
        assert "--set takes" in p.desk.refused(*base, "--sign=policy-1", "--set=opener=/tmp/x", status=2)
        assert "refuse the setting log-rotate-mib" in p.desk.run(*base, "--sign=policy-1", "--set=log-rotate-mib=x").stderr
        assert "there is no terminal ZEI-014" in p.desk.refused(*base, "--sign=policy-1", "--telephone-key", f"--seal-to={HEX_KEY}")
        for dates, expected in (("valid-from 2099-01-01", "is valid from 2099-01-01"), ("valid-until 2020-01-01", "was valid until 2020-01-01")):
            p.write("policy", POLICY.format(6) + f"{dates}\n")
            p.desk.ok("policy", "sign", p.source / "policy", "--sign=policy-1")
            assert expected in p.desk.refused(*base, "--sign=policy-1", f"--policy={p.source}/policy"), dates
        assert not out.exists()
        done = p.desk.run(*base, "--sign=policy-1", "--json")
        assert json.loads(done.stdout)["parts"] == ["provision.conf", "trust.d/sekimori-desk.trust"], done
        assert "no key for event logs" in done.stderr


# --- a machine that runs --------------------------------------------------------------------------------


MACHINE = r"""
set -e
mount -t tmpfs tmpfs "$1/over"
mkdir "$1/over/upper" "$1/over/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/over/upper,workdir=$1/over/work" "$1/machine"
mount -t proc proc "$1/machine/proc"
mount -t tmpfs tmpfs "$1/machine/run"
mkdir -p "$1/machine/run/systemd/system"
mount --rbind /dev "$1/machine/dev"
exec chroot "$1/machine" sh -euc "$2"
"""


def on_machine(p, script):
    """As process 1 of a machine that systemd has started, in a copy of this one that is thrown away."""
    for name in ("over", "machine"):
        (p.directory / name).mkdir(exist_ok=True)
    done = subprocess.run(["unshare", "-m", "-p", "-f", "sh", "-c", MACHINE, "sh", str(p.directory), f"cd {TOP}; {script}"],
                          capture_output=True, text=True, timeout=PATIENCE, check=False, env={**os.environ, "LANG": "C.UTF-8"})
    assert done.returncode == 0, done
    return done.stdout


def test_a_running_terminal_seals_its_secrets_with_its_own_key():
    with place() as p:
        p.write("organisation.key", b"0123456789abcdef" * 2, 0o600)
        provision = f"{CTL} provision"
        out = on_machine(p, f"""
            rm -rf /etc/sekimori /var/lib/sekimori /etc/credstore* /etc/systemd/system/sekimorid.service.d
            printf '#!/bin/sh\\necho inactive\\n' > /usr/bin/systemctl
            {provision} {p.source} --json
            {provision} {p.source} --json
            stat -c %a /etc/credstore.encrypted /etc/credstore.encrypted/sekimori.organisation
            grep -c 0123456789abcdef /etc/credstore.encrypted/sekimori.organisation || true
            ls /etc/systemd/system/sekimorid.service.d 2> /dev/null | wc -l
            systemd-creds decrypt --name=sekimori.organisation /etc/credstore.encrypted/sekimori.organisation -
            echo
            install -D -m 600 {p.source}/organisation.key /etc/credstore/sekimori.organisation
            rm -r /etc/credstore.encrypted
            install -D -m 644 /dev/null /etc/systemd/system/sekimorid.service.d/sekimori-credentials.conf
            {provision} --seal --json
            {provision} --seal --json
            ls /etc/credstore
            touch /var/lib/sekimori/provision/owed
            {provision} {p.source} --json
            ls /var/lib/sekimori/provision""").splitlines()
        first, second = json.loads(out[0]), json.loads(out[1])
        assert [c["what"] for c in first["changes"]] == ["credential"] and first["daemon"] == "not-running", first
        assert not second["changed"], second
        assert out[2:5] == ["700", "600", "0"], out
        assert out[5:7] == ["0", "0123456789abcdef" * 2], out
        # What an earlier version gave the daemon, and what lay there in the clear, goes.
        assert [(c["what"], c["change"]) for c in json.loads(out[7])["changes"]] == [
            ("credential", "new"), ("unit", "removed"), ("credential", "removed")], out
        assert not json.loads(out[8])["changed"], out
        # The daemon was owed a word by a run that was killed: it gets it, once.
        assert json.loads(out[9])["changed"] and out[10:] == [], out


def test_a_daemon_that_is_starting_or_crashing_is_told_and_not_forgotten():
    with place() as p:
        p.write("provision.conf", "sekimori-provision 1\nlog-rotate-mib 32\n")
        for state in "activating", "deactivating", "failed":
            out = on_machine(p, f"""
                rm -rf /etc/sekimori /var/lib/sekimori
                printf '#!/bin/sh\\necho $1 >> /run/asked\\ncase "$1" in show) echo {state} ;; is-active) exit 3 ;; esac\\n' > /usr/bin/systemctl
                {CTL} provision {p.source} --json || echo failed
                {CTL} provision {p.source} --json || echo failed
                grep -c restart /run/asked
                ls /var/lib/sekimori/provision""").splitlines()
            # There is no bus here: it could not be told, and the second run tries it again.
            assert not json.loads(out[0])["ok"] and "did not take it up" in json.loads(out[0])["error"], (state, out)
            assert out[1] == out[3] == "failed" and not json.loads(out[2])["changes"] and out[4:] == ["2", "owed"], (state, out)


def test_the_enrolment_key_is_sealed_where_the_machine_runs():
    with place() as p:
        p.done("--enrol")
        plain = (p.root / "var/lib/sekimori/provision/key").read_text()
        p.write("provision.conf", "sekimori-provision 1\nlog-rotate-mib 32\n")
        key = "/var/lib/sekimori/provision/key"
        out = on_machine(p, f"""
            rm -rf /etc/sekimori /var/lib/sekimori
            printf '#!/bin/sh\\necho inactive\\n' > /usr/bin/systemctl
            mv /usr/bin/systemd-creds /usr/bin/systemd-creds.own
            printf '#!/bin/sh\\necho "$@" >> /run/asked\\nexec systemd-creds.own "$@"\\n' > /usr/bin/systemd-creds
            chmod 755 /usr/bin/systemd-creds
            {CTL} provision --enrol
            {CTL} provision --enrol
            grep -cE '^[0-9a-f]+$' {key} || true; stat -c %a {key}
            install -m 600 {p.root}{key} {key}
            {CTL} provision --enrol
            grep -cE '^[0-9a-f]+$' {key} || true
            install -m 600 {p.root}{key} {key}
            {CTL} provision {p.source} --json
            systemd-creds.own decrypt {key} -
            {CTL} provision {p.source} --json
            grep -c -e '^encrypt --tpm2-pcrs= ' /run/asked
            grep -c -e ^encrypt /run/asked""").splitlines()
        assert len(out[0]) == 64 and out[1] == out[0] and out[2:4] == ["0", "600"], out
        # One that was made from outside stays what it is, but no longer in the clear.
        assert out[4] == p.done("--enrol").stdout.strip() and out[5] == "0", out
        assert {"what": "enrolment-key", "path": key, "change": "replaced"} in json.loads(out[6])["changes"], out
        assert out[7] == plain.strip() and not json.loads(out[8])["changed"], out
        # No update of the firmware may take the secrets away.
        assert out[9] == out[10] == "3", out


# --- many of them ----------------------------------------------------------------------------------------


# A playbook takes its seconds.
FULL = os.environ.get("SEKIMORI_FULL")
PLAYBOOK = TOP / "packaging/ansible/terminals.yml"


def play(p, *args, **values):
    """What ansible counts: {"changed": 1, "failed": 0, …}."""
    values = {"terminals": "zei-014", "sekimori_become": False, "sekimori_packages": [], "sekimori_program": str(CTL),
              "sekimori_root": str(p.root), **values}
    done = subprocess.run(["ansible-playbook", "-i", "zei-014,", "-c", "local", "-e", json.dumps(values), *args, PLAYBOOK],
                          capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=p.directory,
                          env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOME": str(p.directory), "ANSIBLE_NOCOWS": "1"})
    counts = dict(part.split("=") for part in done.stdout.rpartition("zei-014")[2].split() if "=" in part)
    return {name: int(number) for name, number in counts.items()}, done.stdout + done.stderr


def test_the_ansible_role_provisions_once():
    with place() as p:
        p.fill()
        (p.source / "provision.conf").unlink()
        values = {"sekimori_files": str(p.source), "sekimori_key": key_of(p.desk), "sekimori_settings": {"log-rotate-mib": 32}}
        if FULL:
            before = tree(p.root)
            counts, said = play(p, "--check", **values)
            assert counts["changed"] == 1 and counts["failed"] == 0 and tree(p.root) == before, said
        counts, said = play(p, **values)
        assert counts["changed"] == 1 and counts["failed"] == 0, said
        assert p.conf.read_text() == CONF.replace("64 ", "32 ") + 'terminal ZEI-014\n', said
        assert (p.root / "etc/sekimori/policy").read_bytes() == (p.source / "policy").read_bytes()
        before = tree(p.root)
        counts, said = play(p, **values)
        assert counts["changed"] == 0 and counts["failed"] == 0 and tree(p.root) == before, said
        path = handed_over(p, "--set=log-rotate-mib=16")
        counts, said = play(p, sekimori_file=str(path))
        assert counts["changed"] == 1 and counts["failed"] == 0 and "log-rotate-mib   16" in p.conf.read_text(), said
        if not FULL:
            return
        (p.source / "policy").write_text(POLICY.format(8))
        counts, said = play(p, **values)
        assert counts["failed"] == 1 and "does not match the file" in said, said


def test_the_ansible_role_is_red_on_a_weakened_terminal_and_says_what_it_cannot_foretell():
    with place() as p:
        tool = p.directory / "sekimorictl"
        values = {"sekimori_root": "", "sekimori_services": [], "sekimori_program": str(tool), "sekimori_settings": {"log-rotate-mib": 32}}
        if FULL:
            counts, said = play(p, "--check", **values)
            assert counts["failed"] == counts["changed"] == 0 and "is not installed here yet" in said, said
        # A terminal of its own root, which is well while that file is there.
        tool.write_text(f"""#!/bin/sh
[ "$1" != doctor ] || exec cat {p.directory}/well
exec {CTL} --root={p.root} "$@"
""")
        tool.chmod(0o755)
        (p.directory / "well").write_text("all is well")
        counts, said = play(p, **values)
        assert counts["changed"] == 1 and counts["failed"] == 0, said
        (p.directory / "well").unlink()
        counts, said = play(p, **values)
        assert counts["changed"] == 0 and counts["failed"] == 1, said


def test_the_ansible_role_takes_a_drill_for_well_and_nothing_beside_it():
    with place() as p:
        tool = p.directory / "sekimorictl"
        tool.write_text(f"""#!/bin/sh
[ "$1" = doctor ] || exec {CTL} --root={p.root} "$@"
[ "$2" = --json ] && cat {p.directory}/items
exit 1
""")
        tool.chmod(0o755)
        values = {"sekimori_root": "", "sekimori_services": [], "sekimori_program": str(tool)}
        drill, mode = {"mode": "drill"}, {"id": "mode", "result": "fail"}
        other = [{"id": "overrides", "result": "warn"}, {"id": "daemon", "result": "ok"}]
        rows = ((drill, [mode, *other], 0), (drill, [mode, {"id": "daemon", "result": "fail"}], 1), (drill, other, 1), ({}, [mode, *other], 1))
        for settings, items, red in rows if FULL else rows[:2]:
            (p.directory / "items").write_text(json.dumps(items))
            counts, said = play(p, sekimori_settings=settings, **values)
            assert counts["failed"] == red, (settings, items, said)
