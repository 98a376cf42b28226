# SPDX-License-Identifier: GPL-2.0-or-later
"""sekimori-road: what it answers to modprobe and udev, and the notes that it leaves for the daemon."""
import re
import subprocess

from harness import TOP

ROAD = TOP / "build/sekimori-road"
# A /run and a kernel's log of its own.
MACHINE = """
    mount -t tmpfs -o mode=755 none /run || exit 99
    touch /run/kmsg && mount --bind /run/kmsg /dev/kmsg || exit 99
    road() { "$ROAD" "$@" > /run/out 2>&1; echo "$* = $?"; }
    notes() { (cd /run/sekimori/roads && ls | tr '\\n' ' '); echo; }
    drill() { mkdir -p -m 755 /run/sekimori; echo 1 > /run/sekimori/drill; }
    umask 022
"""


def lines(script):
    done = subprocess.run(["unshare", "-m", "sh", "-c", MACHINE + script], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROAD": str(ROAD)})
    assert done.returncode == 0 and not done.stderr, done
    return [line.rstrip() for line in done.stdout.splitlines()]


def test_closed_road_is_noted_and_stays_closed():
    assert lines("""road sr_mod; road sr_mod; road --tell mmc0:aaaa; notes; cat /run/kmsg
                 stat -c '%a %u %s' /run/sekimori /run/sekimori/roads /run/sekimori/roads/closed-sr_mod""") == [
        "sr_mod = 1", "sr_mod = 1", "--tell mmc0:aaaa = 0", "closed-mmc0 closed-sr_mod", "755 0 60", "700 0 80", "600 0 0"]


def test_road_that_a_drill_opens_is_noted_and_said():
    assert lines("drill; road --tell mmc0:aaaa; notes; cat /run/kmsg") == [
        "--tell mmc0:aaaa = 0", "drill-mmc0", "<4>sekimori: drill mode: mmc0:aaaa would be blocked"]


def test_name_that_is_none_leaves_nothing():
    assert lines("""road ../../etc; road 'a b'; road -x; road ''; road --tell a/b; road a b c
                 ls /run/sekimori 2> /dev/null || true""") == [
        "../../etc = 2", "a b = 2", "-x = 2", " = 2", "--tell a/b = 2", "a b c = 2"]


def test_note_that_the_daemon_has_marked_stays_as_it_is():
    assert lines("road sr_mod; chmod 400 /run/sekimori/roads/closed-sr_mod; road sr_mod; stat -c %a /run/sekimori/roads/closed-sr_mod") == [
        "sr_mod = 1", "sr_mod = 1", "400"]


def test_directory_of_somebody_elses_gets_no_note():
    assert lines("""mkdir -p /run/sekimori /run/elsewhere; ln -s /run/elsewhere /run/sekimori/roads; road sr_mod; ls /run/elsewhere
                 rm /run/sekimori/roads; mkdir -m 777 /run/sekimori/roads; chmod 777 /run/sekimori/roads; road sr_mod; notes
                 chmod 700 /run/sekimori/roads; chown 1 /run/sekimori/roads; road sr_mod; notes""") == [
        "sr_mod = 1", "sr_mod = 1", "", "sr_mod = 1", ""]


def test_notes_are_bounded():
    assert lines("""i=0; while [ $i -lt 90 ]; do "$ROAD" m$i; i=$((i + 1)); done; ls /run/sekimori/roads | wc -l; road floppy""") == [
        "64", "floppy = 1"]


def test_user_leaves_none():
    # Also where he may make the directory: his own is not root's.
    assert lines("""mkdir /run/own && cp "$ROAD" /run/own/road && chmod 755 /run/own /run/own/road
                 mkdir /run/sekimori && chmod 777 /run/sekimori
                 setpriv --reuid 1000 --regid 1000 --clear-groups /run/own/road sr_mod; echo $?
                 cd /run/sekimori && find . -mindepth 1 -printf '%p %U %y\\n'""") == ["1", "./roads 1000 d"]


def test_rules_tell_of_cards_that_are_media_and_only_where_the_program_is():
    program = "/usr/libexec/sekimori/sekimori-road"
    rules = [line for line in (TOP / "udev-rules/10-sekimori.rules").read_text().splitlines() if f'RUN+="{program} --tell' in line]
    assert len(rules) == 2 and all(f'TEST=="{program}"' in rule for rule in rules), rules
    # SDIO is a radio that is built in; at `bind` it is none, since only media have the driver.
    coming, = (rule for rule in rules if 'ACTION=="add"' in rule)
    assert re.search(r'ATTR\{type\}=="([^"]*)"', coming)[1].split("|") == ["SD", "SDcombo"], coming
