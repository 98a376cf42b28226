# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary exceptions as the people of an office live them, from the blocked stick to the closed record: each in a session of his
own, with the agent's notices, the shipped polkit rules and groups, and nothing but the commands that the documents name. Then
the same without a network, by telephone and by a signed file, with the help desk's own tool; and an emergency."""

import atexit
import csv
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

from barrier import Bus, Since, bring, daemon_pid, disks, images, ready, unplug_all
from desktops import Desktop, screen, typed
from granting import CLERK, SLOW, look, removed_at
from policies import newest, reload, use
from sessions import SUZUKI, TANAKA, login, options, run_as, service_log, session, switch
from terminal import BUILD

LONG = {"test_a_signed_grant_is_taken_in_once_and_at_its_own_terminal",
        "test_an_emergency_is_at_once_and_the_next_one_waits_for_its_report"}
OPTIONS = options()
RULES = "approvers 2\nexception-period 8 hours\nemergency-period 1 hours\nmay-declare-emergency \"tanaka\"\ncontact \"情報政策課 内線1234\"\n"
MOUNT = "/run/media/tanaka"
UUID = "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9e001"
PASSPHRASE = "sekimori"
GROUPS = {"sekimori-approve": (SUZUKI, CLERK), "sekimori-emergency": (TANAKA,)}

background = []


def setup(t):
    """Three people are logged in, tanaka in front; two may approve, tanaka may declare emergencies."""
    ready(t)
    if session(t, TANAKA):
        return
    for group, people in GROUPS.items():
        t.run(f"groupadd {group}; " + "; ".join(f"usermod -aG {group} {person.name}" for person in people))
    use(t, RULES + "default block\n")
    for vt, person in enumerate((TANAKA, SUZUKI, CLERK), 1):
        login(t, person, vt)
    switch(t, TANAKA)


def teardown(t):
    while background:
        t.run(f"pkill -KILL -s {background.pop()}", check=False)
    unplug_all(t)


def ctl(t, person, arguments, check=True):
    return run_as(t, person, f"sekimorictl {arguments}", check=check, timeout=60)


def refused(t, person, arguments, words):
    done = ctl(t, person, arguments, check=False)
    assert done.status == 1 and re.search(words, done.err), done


def story(t, person, number):
    """What somebody is shown of an exception: its members, and its steps in order."""
    both = json.loads(ctl(t, person, f"exception show {number} --json").out)
    return both["exception"], both["steps"]


def plug(t, image, serial):
    """A stick nobody has registered; its denial, and what happened since."""
    since = Since(t)
    t.plug_storage("a", image, serial=serial)
    denied = since.wait("denied", SLOW)
    since.assert_no_disk()
    return denied, since


def wait_disk(t):
    return t.wait_until(lambda: disks(t), SLOW, "the disk")[0]


def wait_gone(t):
    t.wait_until(lambda: not disks(t), SLOW, "no disk")


def plain(name):
    def make(d):
        return d.plain(name)
    make.__module__ = __name__
    return images.get(name, make)


def wait_readonly(t):
    """The disk, once it is read-only; until then it is nobody's but root's."""
    disk = wait_disk(t)
    t.wait_until(lambda: t.read(f"/sys/block/{disk}/ro") == "1", SLOW, "a disk that is read-only")
    assert not writes(t, f"/dev/{disk}"), "for root, too"
    return disk


def writes(t, node):
    """Can root write to it?"""
    t.settle()
    return t.run(f"dd if=/dev/zero of={node} bs=4096 count=1 oflag=direct conv=notrunc,nocreat", check=False).status == 0


# --- by two approvals ------------------------------------------------------------------------------

def filled(t):
    """An encrypted stick with a file on it, filled in the guest where no barrier is asked."""
    def make(d):
        path = d.small("filled", uuid=UUID, size=24 << 20)
        bring(t, [path])
        t.write("/run/secret", PASSPHRASE)
        t.run("set -e; modprobe -a loop dm_crypt vfat; cd /run/images; loop=$(losetup --show -f filled.img); "
              "cryptsetup open --key-file /run/secret $loop filling; mkfs.vfat -n ZUMEN /dev/mapper/filling >/dev/null; "
              "mount /dev/mapper/filling /mnt; echo 図面 > /mnt/plan.txt; umount /mnt; cryptsetup close filling; "
              "losetup -d $loop; tar -czSf ../filled.tar filled.img; rm filled.img", timeout=60)
        with open(path + ".tar", "wb") as out:
            out.write(t.read_bytes("/run/filled.tar"))
        subprocess.run(["tar", "-xzSf", path + ".tar", "-C", os.path.dirname(path)], check=True)
        return path
    make.__module__ = __name__
    return images.get("filled", make)


def clock(t, left, number):
    """Sets the terminal's clock forward, so that so many seconds of the exception are left."""
    t.run(f"date -s @{look(t, number)['end'] - left}")


def mappings(t):
    return [name for name in t.ls("/dev/mapper") if name != "control"]


def ask_and_approve(t, tanaka, suzuki):
    """From the notice on the screen to the second approval; the number of the request."""
    notice = tanaka.told("USB 機器")
    assert "情報政策課 内線1234" in notice["body"], notice
    tanaka.click(notice, "apply")
    # There is no screen for a form, and no window for a terminal: it names the command.
    command = re.search(r"sekimorictl (request \S+)", tanaka.told("sekimorictl request")["body"])[1]
    said = ctl(t, TANAKA, f"{command} --purpose=窓口で受け取った図面の確認 --access=ro --for=20m --encrypted-only --data-class=II "
               "--form=8 --return-by=tomorrow --yes")
    number = int(re.search(r"Request (\d+) was sent", said.out)[1])
    assert "情報政策課 内線1234" in said.out and look(t, number)["state"] == "requested"
    tanaka.told("承認待ちです")
    notice = suzuki.told("承認を待っています")
    assert "approve" in notice["actions"] and "窓口で受け取った図面の確認" in notice["body"], notice
    assert re.search(rf"^{number} .*tanaka", ctl(t, SUZUKI, "requests").out, re.M)

    refused(t, TANAKA, f"approve {number} --yes", "not authorised")
    ctl(t, SUZUKI, f"approve {number} --yes")
    refused(t, SUZUKI, f"approve {number} --yes", "You have approved it already")
    assert not disks(t) and look(t, number)["state"] == "requested"
    assert "in force, until" in ctl(t, CLERK, f"approve {number} --yes").out
    return number


def test_from_a_blocked_stick_to_the_closed_record(t):
    setup(t)
    image = filled(t)
    tanaka, suzuki = Desktop(t, TANAKA, "ja_JP.UTF-8"), Desktop(t, SUZUKI, "ja_JP.UTF-8")
    bus = Bus(t)
    denied, since = plug(t, image, "ZUMEN")
    assert denied["reason"] == "not-registered", denied
    number = ask_and_approve(t, tanaka, suzuki)

    # Read, and nothing else: by him, and by root.
    wait_readonly(t)
    released = tanaka.told("USB 機器が使えるようになりました")
    assert "読み取り専用" in released["body"] and "残り" in released["body"], released
    assert since.wait("allowed")["reason"] == "granted"
    t.write("/run/secret-tanaka", PASSPHRASE)
    t.run("chown tanaka /run/secret-tanaka; chmod 400 /run/secret-tanaka")
    opened, = json.loads(ctl(t, TANAKA, "open --json --passphrase-file /run/secret-tanaka").out)
    place = opened["mount_point"]
    assert run_as(t, TANAKA, f"cat {place}/plan.txt").out == "図面\n"
    mapping, = mappings(t)
    assert run_as(t, TANAKA, f"touch {place}/x", check=False).status != 0
    assert not writes(t, f"/dev/mapper/{mapping}")

    # Warned twice, on the screen and on the bus.
    for left, words in ((14 * 60, "あと1[34]分"), (4 * 60, "あと[34]分")):
        clock(t, left, number)
        warned = tanaka.told(f"例外 {number} は、{words}")
        assert "extend" in warned["actions"], warned
    assert bus.text().count("member=Warned") == 2, bus.text()
    assert [r["exception"] for r in since.records("exception-warned")] == [number, number]

    # Ended while he has a file open.
    background.append(tanaka.start(f"sh -c 'exec sleep 600 < {place}/plan.txt'", "/dev/null"))
    t.wait_until(lambda: t.run(f"fuser -s {place}/plan.txt || ls -l /proc/[0-9]*/fd 2>/dev/null | grep -q plan.txt", check=False).status == 0,
                 SLOW, "the file held")
    clock(t, 0, number)
    expired = since.wait("exception-expire", SLOW)
    wait_gone(t)
    gone = removed_at(t, since)[-1] - expired["boot_us"] / 1e6
    print(f"      held: deadline to no disk {gone:.2f} s")
    assert gone < 2, gone
    t.wait_until(lambda: place not in t.read("/proc/mounts"), SLOW, "no mount")
    t.wait_until(lambda: ("sleep", TANAKA.uid) in holders(since), SLOW, f"who held it; there is {since.records()}")
    tanaka.told(f"例外 {number} は終了しました")
    t.run(f"pkill -KILL -s {background.pop()}", check=False)
    t.wait_until(lambda: not mappings(t), SLOW, "no mapping")
    t.unplug("a")

    # Owed, given back, confirmed by somebody else, closed.
    assert set(look(t, number)["due"]) == {"return", "erasure"}
    assert ctl(t, SUZUKI, "requests --due").out.splitlines()[1].startswith(f"{number} ")
    ctl(t, TANAKA, f"return {number} --yes")
    refused(t, SUZUKI, f"exception close {number} --yes", "Nobody has confirmed that its data is erased")
    refused(t, TANAKA, f"exception confirm {number} --yes", "not authorised|Somebody else must do this")
    ctl(t, SUZUKI, f"exception confirm {number} --yes --note=消去を確認")
    ctl(t, SUZUKI, f"exception close {number} --yes")
    same_story(t, number, since)
    bus.close()


def holders(since):
    """Those who are recorded to have held a volume when it was closed."""
    return [(holder["program"], holder["uid"]) for record in since.records() if record["kind"] in ("volume-closed", "volume-refused")
            for holder in record.get("holders", ())]


STEPS = [("request", "tanaka"), ("approve", "suzuki"), ("approve", "clerk"), ("begin", ""), ("use", ""), ("expire", ""),
         ("return", "tanaka"), ("confirm-erased", "suzuki"), ("close", "suzuki")]


def same_story(t, number, since):
    """Whoever is asked of it says the same."""
    exception, steps = story(t, TANAKA, number)
    assert [(s["event"], s["who"]) for s in steps] == STEPS, steps
    assert (exception["state"], exception["approvers"], exception["used"], exception["written"], exception["due"]) == \
        ("closed", ["suzuki", "clerk"], 1, 0, []), exception
    logged = [(r["kind"][len("exception-"):], r.get("by", "")) for r in since.records()
              if r.get("exception") == number and "from" in r and "to" in r]
    assert logged == STEPS, logged
    shown = [json.loads(line) for line in t.run("sekimorictl log show --format json --person tanaka").out.splitlines()]
    assert [(r["kind"][len("exception-"):], r.get("by", "")) for r in shown if "to" in r and r.get("exception") == number] == STEPS
    done = t.run("sekimorictl log verify", check=False)
    assert done.status == 0, done

    month = t.run("date +%Y-%m").out.strip()
    table = {(row[0], row[1], row[3]): row[-1] for row in csv.reader(io.StringIO(
        t.run(f"sekimorictl report --month {month} --format csv").out.lstrip("\ufeff"), newline="")) if len(row) > 4}
    line = {item: value for (section, key, item), value in table.items() if (section, key) == ("exception-list", str(number))}
    assert (line["state"], line["person"], line["access"], line["form"], line["approvers"], line["owed"]) == \
        ("closed", "tanaka", "ro", "8", "suzuki, clerk", ""), line
    assert line["purpose"] == "窓口で受け取った図面の確認", line

    rows = csv.reader(io.StringIO(ctl(t, TANAKA, f"exception form {number} --format csv").out.lstrip("\ufeff"), newline=""))
    sheet = {row[1]: row[4] for row in rows if len(row) == 5 and row[0] in ("application", "outcome")}
    assert (sheet["state"], sheet["requester"], sheet["approver-1"], sheet["approver-2"], sheet["used"], sheet["erased-by"]) == \
        ("closed", "tanaka", "suzuki", "clerk", "1", "suzuki"), sheet

    items = {item["id"]: item for item in json.loads(t.run("sekimorictl doctor --json", check=False).out)}
    for id in ("exceptions-store", "exceptions-due", "exceptions-reports", "exceptions-roles", "log-verifies"):
        assert items[id]["result"] == "ok", items[id]
    assert daemon_pid(t)


# --- an emergency ----------------------------------------------------------------------------------

def test_an_emergency_is_at_once_and_the_next_one_waits_for_its_report(t):
    setup(t)
    denied, since = plug(t, plain("urgent"), "URGENT")
    refused(t, SUZUKI, "emergency --purpose=停電 --for=30m --yes", "not authorised|do not have the right")
    said = ctl(t, TANAKA, "emergency --purpose=停電で窓口の機器が使えない --for=30m --yes").out
    number = int(re.search(r"Emergency (\d+) is in force", said)[1])
    wait_readonly(t)
    allowed = since.wait("allowed")
    assert (allowed["reason"], allowed["access"], allowed["exception"]) == ("granted", "ro", number), allowed
    declared = since.wait("exception-emergency")
    assert declared["emergency"] is True and declared["by"] == "tanaka" and declared["form"] == "13-2", declared
    assert "EMERGENCY, report due" in ctl(t, TANAKA, "requests").out
    ctl(t, TANAKA, f"return {number} --yes")
    wait_gone(t)
    assert "EMERGENCY, REPORT OVERDUE" in ctl(t, SUZUKI, "requests --due").out

    refused(t, TANAKA, "emergency --purpose=もう一度 --yes", "Reports of earlier emergencies are missing")
    assert since.wait("exception-refused", by="tanaka")["reason"] == "exception-reports-due"
    items = {item["id"]: item for item in json.loads(t.run("sekimorictl doctor --json", check=False).out)}
    assert items["exceptions-reports"]["result"] != "ok", items["exceptions-reports"]
    assert not disks(t)
    ctl(t, TANAKA, f"exception report {number} --note=停電のため使用。課長へ報告済み")
    assert "report" not in look(t, number)["due"]
    said = ctl(t, TANAKA, "emergency --purpose=もう一度 --for=30m --yes").out
    again = int(re.search(r"Emergency (\d+) is in force", said)[1])
    wait_disk(t)
    exception, steps = story(t, TANAKA, again)
    assert exception["emergency"] and [s["event"] for s in steps][:2] == ["emergency", "use"], steps
    ctl(t, SUZUKI, f"revoke {again} --yes --note=復旧した")
    wait_gone(t)
    ctl(t, TANAKA, f"exception report {again} --note=復旧した")


# --- without a network -----------------------------------------------------------------------------

class Desk:
    """A help desk on another machine, with its own tool; it knows the terminal by name."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="sekimori-desk-")
        atexit.register(shutil.rmtree, self.directory, True)
        self.write("passphrase", "four unrelated words here\n")
        self.run("init", "--quick-kdf", "--organisation=Aoba-shi", "--policy-signer=Tanaka")
        self.run("terminal", "add", "--quick-kdf", "ZEI-014")
        self.run("terminal", "key", "ZEI-014", f"--out={self.path('key')}")
        self.run("grant", "keygen", "--quick-kdf")

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def run(self, *arguments):
        command = [os.path.join(BUILD, "sekimori-desk"), "--desk", self.path("desk"), "--by=clerk", "--lang=en",
                   f"--passphrase-file={self.path('passphrase')}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
        assert done.returncode == 0, done
        return done


desks = {}


def the_desk(t):
    """The desk; and the terminal has its key, its trust and a policy of it that is signed."""
    if t in desks:
        return desks[t]
    d = desks[t] = Desk()
    d.write("base", f"policy test-terminal\nversion 1\nmark required\n{RULES}default block\n")
    os.mkdir(d.path("out"))
    d.run("policy", f"--base={d.path('base')}", f"--out={d.path('out/policy')}", f"--policy-version={newest(t) + 1}", "--sign=policy-1")
    t.run("umask 077; mkdir -p /etc/sekimori/trust.d /etc/credstore")
    t.write("/etc/credstore/sekimori.telephone", d.read("key"))
    t.write("/etc/sekimori/trust.d/desk.trust", d.read("desk/trust/sekimori-desk.trust"))
    for name in sorted(os.listdir(d.path("out")), reverse=True):
        t.write(f"/etc/sekimori/{name}", d.read(f"out/{name}"))
    t.run("chmod 600 /etc/credstore/sekimori.telephone; chmod -R go-w /etc/sekimori; chown -R 0:0 /etc/sekimori")
    since = Since(t)
    reload(t)
    assert since.wait("policy", SLOW)["signers"] == ["Tanaka"]
    # A credential is read at the start.
    t.run("systemctl restart sekimorid")
    ready(t)
    assert "cannot be set" not in service_log(t), "it goes without complaints"
    return d


def line(t, text):
    """A command that tanaka types at his prompt."""
    typed(t, "clear\n")
    t.wait_until(lambda: len(screen(t, 1).splitlines()) <= 1, SLOW, "an empty screen")
    typed(t, text + "\n")


def on_screen(t, pattern):
    return t.wait_until(lambda: re.search(pattern, screen(t, 1), re.M), SLOW, f"'{pattern}' on the screen:\n{screen(t, 1)}")


def test_by_telephone_a_code_is_typed_in_and_good_once(t):
    setup(t)
    d = the_desk(t)
    assert t.ls("/sys/class/net") == ["lo"], "no network"
    denied, since = plug(t, plain("called"), "CALLED")
    line(t, "sekimorictl request --phone --access=rw --for=2h --purpose=maps")
    on_screen(t, r"Ask for this by telephone\?")
    typed(t, "\n")
    challenge = on_screen(t, r"^    (\S{4}-\S{4}-\S{4}-\S{4})$")[1]
    on_screen(t, "The help desk's code")
    assert since.wait("phone-challenge")["challenge"] == challenge
    # The clerk is told what is asked, by the code alone, and allows less.
    said = d.run("--json", "answer", challenge, "--yes", "--why=様式第8号", "--access=ro", "--period=1h", "--uses=1")
    answer = json.loads(said.stdout)
    assert answer["terminal"] == "ZEI-014" and len(answer["code"].replace("-", "")) == 20, answer
    for words in ("USB memory", "not encrypted", "ZEI-014", "reading and writing", "2 h"):
        assert words in said.stderr, (words, said.stderr)
    typed(t, answer["code"].lower() + "\n")
    number = int(on_screen(t, r"Exception (\d+) is granted until .*read only|Exception (\d+) is granted")[1])
    wait_readonly(t)
    allowed = since.wait("allowed")
    assert (allowed["access"], allowed["exception"]) == ("ro", number), allowed
    granted = look(t, number)
    assert (granted["id"], granted["uses"], granted["fingerprint"]) == (answer["id"], 1, denied["fingerprint"]), granted

    # The same code once more, and the same stick once more.
    line(t, "sekimorictl answer " + answer["code"].lower())
    on_screen(t, "already")
    assert since.wait("phone-refused")["reason"] == "phone-used"
    t.unplug("a")
    since.wait("exception-use-up")
    plug(t, plain("called"), "CALLED")


def test_a_signed_grant_is_taken_in_once_and_at_its_own_terminal(t):
    setup(t)
    d = the_desk(t)
    denied, since = plug(t, plain("signed"), "SIGNED")
    # By the guest's clock, in the desk's local time; within the longest that the policy allows.
    until = time.strftime("%Y-%m-%dT%H:%M", time.localtime(int(t.run("date +%s").out) + 4 * 3600))
    for name, terminal in (("grant", "ZEI-014"), ("foreign", "ZEI-015")):
        d.run("grant", d.path(name), f"--terminal={terminal}", "--user=tanaka", f"--device={denied['fingerprint']}",
              "--kind=storage-plain", "--access=ro", f"--until={until}", "--why=様式第8号 12")
        for part in (name, name + ".minisig"):
            t.write(f"/home/tanaka/{part}", d.read(part))
    refused(t, TANAKA, "grant import /home/tanaka/foreign", "another terminal")
    assert not disks(t)
    number = int(re.search(r"Exception (\d+)", ctl(t, TANAKA, "grant import /home/tanaka/grant").out)[1])
    wait_readonly(t)
    assert since.wait("allowed")["exception"] == number
    refused(t, TANAKA, "grant import /home/tanaka/grant", "taken in already")
    assert [r.get("reason", "") for r in since.records("administration", method="Exceptions.ImportGrant")] == \
        ["grant-other-terminal", "", "grant-used"], since.records()
    exception, steps = story(t, TANAKA, number)
    assert [s["event"] for s in steps][:3] == ["import", "begin", "use"] and exception["person"] == "tanaka", steps
    ctl(t, SUZUKI, f"revoke {number} --yes --note=終わり")
    wait_gone(t)
