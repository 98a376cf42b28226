# SPDX-License-Identifier: GPL-2.0-or-later
"""What sekimorictl prints and how it ends."""
import json
import os
import pty
import re

from harness import CTL, DEVICE, PATIENCE, device, world

JA = {"LANG": "ja_JP.UTF-8"}


def fake_sysfs(w, loaded=True, locked=True, hosts=("0", "0"), state="live"):
    top = w.directory / "root"
    if loaded:
        module = top / "sys/module/sekimori"
        (module / "parameters").mkdir(parents=True)
        (module / "initstate").write_text(state + "\n")
        (module / "parameters/lock").write_text("Y\n" if locked else "N\n")
        counters = top / "sys/class/misc/sekimori/counters"
        counters.mkdir(parents=True)
        (counters / "held").write_text("12\n")
        (counters / "vetoes").write_text("3\n")
        (counters / "odd").write_text("no number\n")
    usb = top / "sys/bus/usb/devices"
    usb.mkdir(parents=True)
    for number, value in enumerate(hosts, 1):
        (usb / f"usb{number}").mkdir()
        (usb / f"usb{number}/interface_authorized_default").write_text(value + "\n")
    (usb / "1-1").mkdir()
    return f"--root={top}"


def test_status_of_a_barrier_that_stands():
    with world() as w:
        root = fake_sysfs(w)
        done = w.ctl("status", root)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert lines[0] == "Kernel gate           loaded, locked until reboot", lines
        assert lines[1] == "Second layer (udev)   on", lines
        assert "The barrier stands." in lines
        assert re.search(r"^  held +12$", done.stdout, re.M)
        assert re.search(r"^  vetoes +3$", done.stdout, re.M) and "odd" not in done.stdout
        done = w.ctl("status", root, env=JA)
        assert done.returncode == 0 and "関門は正常です。" in done.stdout, done.stdout
        done = w.ctl("--json", "status", root)
        status = json.loads(done.stdout)
        assert done.returncode == 0 and status["ok"] is True and status["problems"] == []
        assert status["gate"] == {"loaded": True, "locked": True,
                                  "counters": {"held": 12, "vetoes": 3}}
        assert status["second_layer"] == {"on": True, "hosts": {"usb1": True, "usb2": True}}
        assert status["daemon"]["Terminal"] == "mado-03"


def problems(w, root):
    done = w.ctl("status", "--json", root)
    status = json.loads(done.stdout)
    assert done.returncode == 1 and status["ok"] is False, done.stdout
    return [p["code"] for p in status["problems"]]


def test_status_says_that_only_the_second_layer_holds():
    with world() as w:
        root = fake_sysfs(w, loaded=False)
        done = w.ctl("status", root)
        assert done.returncode == 1
        assert ("Kernel gate: NOT LOADED - only the second layer (udev) is holding devices. "
                "Tell the help desk.") in done.stdout, done.stdout
        done = w.ctl("status", root, env=JA)
        assert "第二の関門 (udev) だけで機器を止めています" in done.stdout, done.stdout
        assert problems(w, root) == ["gate-not-loaded"]


def test_a_module_that_is_going_counts_as_not_loaded():
    with world() as w:
        assert problems(w, fake_sysfs(w, state="going")) == ["gate-not-loaded"]


def test_status_says_that_nothing_holds():
    with world() as w:
        root = fake_sysfs(w, loaded=False, hosts=("0", "1"))
        assert problems(w, root) == ["nothing-holds"]
        assert "NOTHING IS HOLDING DEVICES" in w.ctl("status", root).stdout


def test_status_names_the_open_host():
    with world() as w:
        root = fake_sysfs(w, hosts=("0", "1", "2"))
        assert problems(w, root) == ["second-layer-off"]
        assert "Open: usb2 usb3" in w.ctl("status", root).stdout


def test_status_works_without_the_daemon_and_without_the_bus():
    with world(daemon=False) as w:
        root = fake_sysfs(w)
        assert problems(w, root) == ["daemon-silent"]
        w.bus_stop()
        assert problems(w, root) == ["daemon-silent"]
        done = w.ctl("status", root, env=JA)
        assert "常駐プログラム (sekimorid) が応答しません" in done.stdout, done.stdout
        assert "loaded, locked" in w.ctl("status", root).stdout


def test_status_tells_of_a_log_that_cannot_be_kept():
    with world() as w:
        root = fake_sysfs(w)
        w.tell("log cannot be written: \x1b[31mfull")
        assert problems(w, root) == ["log-failed"]
        text = w.ctl("status", root).stdout
        assert "Log: cannot be written: \\x1B[31mfull" in text and "\x1b" not in text, text
        # The log is written: things are let through, and the line says what is the matter.
        w.tell("log disk nearly full: less than 64 MiB left")
        done = w.ctl("status", root)
        assert done.returncode == 0 and "disk nearly full: less than 64 MiB left" in done.stdout, done.stdout


def test_status_begins_with_a_drill_and_fails():
    with world() as w:
        root = fake_sysfs(w)
        w.tell(f"mode drill {1795240800 * 1000000}")
        done = w.ctl("status", root)
        assert done.returncode == 1 and done.stdout.splitlines()[0] == \
            "DRILL MODE: nothing is blocked. Everything is judged and recorded only.", done.stdout
        assert re.search(r"  - Nothing is blocked: drill mode\. .* It is on since 2026-11-2\d \d\d:\d\d$", done.stdout, re.M), done.stdout
        assert problems(w, root) == ["drill"]
        first = w.ctl("status", root, env=JA).stdout.splitlines()[0]
        assert first.startswith("【試行モード】"), first
        w.tell("mode drill-refused 0")
        done = w.ctl("status", root)
        assert done.returncode == 0
        found = json.loads(w.ctl("status", "--json", root).stdout)["problems"]
        assert [(p["code"], p["note"]) for p in found] == [("drill-refused", True)], found
        assert "DRILL" not in done.stdout and "the barrier stands: the policy forbids the drill" in done.stdout, done.stdout


def test_what_a_drill_lets_in_is_listed_as_what_it_would_be():
    with world() as w:
        w.tell("add 0")
        w.tell("would-deny 0 not-registered")
        shown = w.ctl("list")
        assert "would be denied" in shown.stdout and "This medium is not registered." in shown.stdout, shown.stdout
        assert "本来は拒否" in w.ctl("list", env=JA).stdout


def test_status_shows_the_policy_in_force():
    with world() as w:
        root = fake_sysfs(w)
        lines = w.ctl("status", root).stdout.splitlines()
        for line in (r"Policy +ok  /etc/sekimori/policy", r"Policy in force +kuyakusho  12",
                     r"Policy signed +yes  情報管理者",
                     r"Policy valid until +2027-03-31T23:59:59", r"Contact +情報政策課 内線1234"):
            assert any(re.fullmatch(line, shown) for shown in lines), (line, lines)
        text = w.ctl("status", root, env=JA).stdout
        assert re.search(r"^ポリシーの署名 +あり  情報管理者$", text, re.M), text
        assert re.search(r"^連絡先 +情報政策課 内線1234$", text, re.M), text


def test_status_tells_of_a_policy_file_that_was_refused():
    with world() as w:
        root = fake_sysfs(w)
        w.tell("policy-error /etc/sekimori/policy:3:1: \x1b[31mno")
        assert problems(w, root) == ["policy-rejected"]
        text = w.ctl("status", root).stdout
        assert "cannot be put in force: /etc/sekimori/policy:3:1: \\x1B[31mno" in text, text
        assert "適用できません" in w.ctl("status", root, env=JA).stdout


def test_status_tells_why_no_policy_is_in_force():
    with world() as w:
        root = fake_sysfs(w)
        for state in ("missing", "refused", "previous", "expired", "not-yet-valid"):
            w.tell(f"policy-state {state}")
            assert problems(w, root) == [f"policy-{state}"]
            for env in (None, JA):
                line = w.ctl("status", root, env=env).stdout.splitlines()[-1]
                assert line.startswith("  - ") and len(line) > 20, line


def test_an_unsigned_policy_is_a_note_and_no_failure():
    with world() as w:
        root = fake_sysfs(w)
        w.tell("unsigned")
        done = w.ctl("status", root)
        assert done.returncode == 0 and "The barrier stands.\nNotes\n  - The policy is not " in done.stdout
        assert "お知らせ" in w.ctl("status", root, env=JA).stdout
        status = json.loads(w.ctl("status", "--json", root).stdout)
        assert status["ok"] is True, status
        assert [(p["code"], p["note"]) for p in status["problems"]] == [("policy-unsigned", True)]
        w.tell("policy-state expired")
        assert problems(w, root) == ["policy-expired", "policy-unsigned"]
        w.tell("policy-state missing")
        assert problems(w, root) == ["policy-missing"]


def test_reload_says_what_came_of_it():
    with world() as w:
        done = w.ctl("reload")
        assert done.returncode == 0 and done.stderr == "", done
        assert done.stdout == "The policy file is in force. State: ok\n", done
        assert json.loads(w.ctl("reload", "--json").stdout) == {"ok": True, "state": "ok"}
        assert "正常" in w.ctl("reload", env=JA).stdout
        w.tell("policy-error /etc/sekimori/policy:3:1: error: \x1b[31mno")
        done = w.ctl("reload")
        assert done.returncode == 1 and done.stdout == "", done
        assert done.stderr == ("sekimorictl: The policy file was not put in force; what was in "
                               "force stays:\n  /etc/sekimori/policy:3:1: error: \\x1B[31mno\n")
        assert "適用されませんでした" in w.ctl("reload", env=JA).stderr
        done = w.ctl("reload", "--json")
        assert done.returncode == 1
        assert json.loads(done.stdout) == {"ok": False,
                                           "error": "/etc/sekimori/policy:3:1: error: \x1b[31mno"}


def test_reload_without_the_keeper_fails():
    with world(daemon=False) as w:
        assert w.ctl("reload").returncode == 1
        w.bus_stop()
        done = w.ctl("reload", "--json")
        assert done.returncode == 1 and json.loads(done.stdout)["ok"] is False, done


def test_list_is_a_table_with_reasons_in_both_languages():
    with world() as w:
        for number in (0, 1, 4):
            w.tell(f"add {number}")
        w.tell("deny 0 not-registered no medium line has this serial")
        w.tell("allow 1 M-0007")
        w.tell("state 4 passed")
        done = w.ctl("list")
        assert done.returncode == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert lines[0].split() == ["NO", "PORT", "ID", "PRODUCT", "STATE", "MEDIUM",
                                    "REASON"]
        assert len(lines) == 3, lines
        assert re.fullmatch(r"0 +1-0 +46f4:0000 +QEMU USB HARDDRIVE +denied +This medium is "
                            r"not registered\. .* \(no medium line has this serial\)", lines[1]), lines
        assert re.fullmatch(r"1 +1-1 +46f4:0001 +区役所の媒体 +allowed +M-0007 +Registered medium, .*",
                            lines[2]), lines
        ja = w.ctl("list", env=JA).stdout.splitlines()
        assert ja[0].split() == ["番号", "ポート", "ID", "製品名", "状態", "媒体番号", "理由"]
        assert "拒否" in ja[1] and "登録されていない媒体です。" in ja[1], ja
        assert "許可" in ja[2] and "暗号化を確認しました。" in ja[2], ja
        assert len(w.ctl("list", "--all").stdout.splitlines()) == 4


def columns(text):
    return sum(2 if ord(c) > 0x2e7f else 1 for c in text)


def test_columns_stand_under_each_other_in_japanese():
    with world() as w:
        for number in (0, 1):
            w.tell(f"add {number}")
        w.tell("deny 0 not-registered")
        w.tell("deny 1 not-registered")
        header, *rows = w.ctl("list", env=JA).stdout.splitlines()
        at = columns(header[:header.index("状態")])
        for row in rows:
            assert columns(row[:row.index("拒否")]) == at, (header, row)


def test_list_as_json_has_every_property():
    with world() as w:
        w.tell("add 1")
        w.tell("deny 1 other-volume")
        devices = json.loads(w.ctl("list", "--json").stdout)
        assert len(devices) == 1 and devices[0].pop("Path") == device(1)
        assert devices[0] == w.get_all(device(1), DEVICE)
        w.tell("state 1 passed")
        assert json.loads(w.ctl("list", "--json").stdout) == []
        assert len(json.loads(w.ctl("list", "--json", "--all").stdout)) == 1


def test_list_of_nothing_says_so():
    with world() as w:
        assert w.ctl("list").stdout == "No device is held, denied or allowed.\n"
        assert w.ctl("list", "--all", env=JA).stdout == "機器はありません。\n"


def test_devices_are_listed_in_the_order_they_came():
    with world() as w:
        for number in (2, 10, 9):
            w.tell(f"add {number}")
        paths = [d["Path"] for d in json.loads(w.ctl("list", "--json").stdout)]
        assert paths == [device(2), device(9), device(10)]


UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


def test_a_hostile_name_is_shown_harmlessly_and_parses_back():
    with world() as w:
        w.tell("add 2")
        w.tell("deny 2 not-registered")
        text = w.ctl("list").stdout
        assert not UNSAFE.search(text) and len(text.splitlines()) == 2, text
        assert "evil\\x1B[2J\\x0A\\u{202E}exe" in text, text
        raw = w.ctl("list", "--json").stdout
        assert not UNSAFE.search(raw), raw
        assert json.loads(raw)[0]["Product"] == 'evil\x1b[2J\n\u202eexe.txt\u200b\\x41 "q"'


def test_watch_prints_a_line_for_each_event():
    with world() as w:
        for number in range(3):
            w.tell(f"add {number}")
        process, lines = w.ctl_watch("--count=5")
        w.tell("hold 0")
        w.tell("deny 0 not-registered some detail")
        w.tell("allow 1 M-0007")
        w.tell("attempt")
        w.tell("remove 2")
        clock = r"\d\d:\d\d:\d\d  "
        for pattern in (
                clock + r"held +1-0 46f4:0000 QEMU USB HARDDRIVE",
                clock + r"denied +1-0 46f4:0000 QEMU USB HARDDRIVE  This medium is not "
                        r"registered\. .* \(some detail\)",
                clock + r"allowed +1-1 46f4:0001 区役所の媒体 \[M-0007\]  Registered medium, .*",
                clock + r"ATTEMPT +1-1:1\.0 bind <- tee\\x1B\[1m  An attempt .* was refused\.",
                clock + r"removed +1-2 46f4:0002 evil\\x1B\[2J\\x0A\\u\{202E\}exe.*"):
            line = lines.next()
            assert re.fullmatch(pattern, line), (pattern, line)
        assert process.wait(PATIENCE) == 0


def test_watch_speaks_japanese():
    with world() as w:
        w.tell("add 0")
        _, lines = w.ctl_watch("--count=1", env={"LC_ALL": "ja_JP.UTF-8"})
        w.tell("deny 0 not-registered")
        line = lines.next()
        assert "拒否" in line and "登録されていない媒体です。" in line, line


def test_watch_as_json_has_one_object_a_line():
    with world() as w:
        w.tell("add 2")
        process, lines = w.ctl_watch("--json", "--count=2")
        w.tell("deny 2 not-registered")
        raw = lines.next()
        assert not UNSAFE.search(raw), raw
        event = json.loads(raw)
        assert event["event"] == "DeviceDenied" and event["device"] == device(2)
        assert event["record"]["seq"] == 7 and event["record"]["synchronised"] is True
        assert event["record"]["product"].startswith("evil\x1b[2J\n\u202e")
        w.tell("attempt")
        event = json.loads(lines.next())
        assert event["event"] == "AttemptRefused" and "device" not in event
        assert process.wait(PATIENCE) == 0


def test_the_language_is_decided_by_the_first_variable_that_is_set():
    with world() as w:
        assert "機器" in w.ctl("list", env={"LANG": "C", "LC_MESSAGES": "ja_JP.UTF-8"}).stdout
        assert "device" in w.ctl("list", env={"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}).stdout
        assert "機器" in w.ctl("list", env={"LANG": "ja", "LC_ALL": ""}).stdout


def test_wrong_use_ends_with_two():
    with world(bus=False, daemon=False) as w:
        for args in ((), ("fly",), ("list", "more"), ("list", "--count=3"), ("status", "--all"),
                     ("watch", "--count=0"), ("watch", "--count=x"), ("watch", "--count=-1"),
                     ("watch", "--count=99999999999999999999"), ("--nonsense",),
                     ("help", "fly"), ("help", "list", "more"), ("list", "--json=1")):
            done = w.ctl(*args)
            assert done.returncode == 2 and done.stdout == "" and done.stderr, (args, done)
        assert "\x1b" not in w.ctl("fl\x1by").stderr


def test_a_failure_ends_with_one():
    with world(bus=False, daemon=False) as w:
        done = w.ctl("list")
        assert done.returncode == 1 and done.stdout == "", done
        assert done.stderr.startswith("sekimorictl: Cannot talk to the keeper (sekimorid):")
        assert w.ctl("list", "--json", env=JA).returncode == 1


def test_help_names_every_command_and_option():
    with world(bus=False, daemon=False) as w:
        text = w.ctl("--help")
        assert text.returncode == 0
        for word in ("status", "list", "watch", "reload", "check-policy", "explain", "rule-for",
                     "import-usbguard", "policy history", "policy diff", "--json", "--all",
                     "--count=N", "--policy=FILE", "--device=DEVICE", "--version"):
            assert word in text.stdout, word
        one = w.ctl("help", "watch").stdout
        assert "--count=N" in one and "--all" not in one
        assert w.ctl("watch", "--help").stdout == one
        assert "使い方:" in w.ctl("help", env=JA).stdout
        assert re.fullmatch(r"sekimorictl \d+\.\d+\.\d+\n", w.ctl("--version").stdout)


def on_terminal(w, *args, env=None):
    """Output of the tool when it believes that a person looks."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(str(CTL), [str(CTL), *args], dict(w.env, **(env or {})))
    text = b""
    while True:
        try:
            piece = os.read(fd, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.waitpid(pid, 0)
    os.close(fd)
    return text.decode()


def test_colour_only_for_a_terminal_and_only_if_wanted():
    with world() as w:
        w.tell("add 0")
        w.tell("deny 0 not-registered")
        assert "\x1b[31mdenied\x1b[0m" in on_terminal(w, "list")
        assert "\x1b" not in on_terminal(w, "list", env={"NO_COLOR": "1"})
        assert "\x1b" not in on_terminal(w, "list", "--no-color")
        assert "\x1b" not in w.ctl("list").stdout
