# SPDX-License-Identifier: GPL-2.0-or-later
"""A terminal on which something is missing or broken at the start: the barrier is down all the same, and what is missing is said.

Each test has a machine of its own.
"""

from barrier import records
from ground import (CONFIGURED, KEEP_INITRD, SLOW, Since, bring, built, failed_checks, images, module_file, no_disk, plug_held,
                    ready, second_layer_holds, unplug_all)
from sessions import service_log

OPTIONS = {"files": CONFIGURED}


def own(name, **options):
    return {f"test_{name}": options}


FULL = "mount -t tmpfs -o size=16k,mode=750 full /var/log/sekimori; cat /dev/zero > /var/log/sekimori/filler 2> /dev/null || :"
MASKED = {f"/etc/systemd/system/{unit}": "/dev/null" for unit in ("dbus.service", "dbus.socket")}
OWN = {
    **own("without_polkit_the_barrier_is_down_and_the_doctor_says_so",
          links={"/etc/systemd/system/polkit.service": "/dev/null"}),
    # Nobody built it, and the initrd knows nothing of us.
    **own("without_a_module_the_second_layer_holds_and_the_doctor_is_loud", links={module_file(): "/nowhere"},
          initrd="{build}/image/plain/initrd.img", failing={"systemd-modules-load.service"}),
    **own("with_a_full_var_nothing_is_let_in", setup=FULL),
    # Whether systemd's own comes before or after that is left to chance; as long as it has a file open there, mount says busy.
    **own("with_a_read_only_etc_the_barrier_is_down",
          setup="mount --bind /etc /etc; until mount -o remount,bind,ro /etc; do sleep 0.2; done",
          failing={"systemd-sysusers.service"}),
    **own("in_1970_an_unknown_stick_is_denied_and_the_doctor_names_the_clock", qemu=["-rtc", "base=1970-01-02T00:00:00"],
          setup="date -s @100000 > /dev/null"),
    **own("without_headers_dkms_builds_nothing_and_it_is_said", files={**CONFIGURED, **KEEP_INITRD}),
    **own("packages_that_are_configured_with_a_read_only_etc_hold_and_can_be_repaired", files={**CONFIGURED, **KEEP_INITRD}),
    **own("without_d_bus_the_daemon_holds_and_records", links=MASKED,
          failing={"systemd-logind.service", "polkit.service", "udisks2.service"}),
}
LONG = OWN.keys() - {"test_without_a_module_the_second_layer_holds_and_the_doctor_is_loud"}


def teardown(t):
    unplug_all(t)


def test_without_polkit_the_barrier_is_down_and_the_doctor_says_so(t):
    ready(t)
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")
    failed, warned = failed_checks(t)
    assert "polkit" in {**failed, **warned}, (failed, warned)


def test_without_a_module_the_second_layer_holds_and_the_doctor_is_loud(t):
    failed = second_layer_holds(t)
    assert "module-loaded" in failed, failed


def test_with_a_full_var_nothing_is_let_in(t):
    ready(t)
    plug_held(t)
    t.unplug("held")
    t.plug_storage("good", images.luks2(), serial="GOOD")
    t.run("sleep 20")
    no_disk(t)
    failed, warned = failed_checks(t)
    assert "log-state" in failed and "log-space" in failed, (failed, warned)
    assert t.run("sekimorictl status", check=False).status == 1
    # With room again, all is as it should be.
    t.run("rm /var/log/sekimori/filler; mount -o remount,size=16m /var/log/sekimori")
    t.unplug("good")
    t.plug_storage("good", images.luks2(), serial="GOOD")
    t.wait_until(lambda: any(r["kind"] == "released" for r in records(t)), SLOW, "a released medium")


def test_with_a_read_only_etc_the_barrier_is_down(t):
    ready(t)
    assert t.run("touch /etc/x", check=False).status != 0
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")
    since.assert_no_disk()


RECONFIGURE = "DEBIAN_FRONTEND=noninteractive dpkg-reconfigure {} < /dev/null 2>&1"


def test_without_headers_dkms_builds_nothing_and_it_is_said(t):
    """What is really missing to DKMS, and its own answer to it."""
    ready(t)
    kver = t.run("uname -r").out.strip()
    t.run(f"mv /lib/modules/{kver}/build /root/headers")
    said = t.run(RECONFIGURE.format("sekimori-dkms"), timeout=900).out
    assert f"linux-headers-{kver}" in said and "second layer" in said, said
    assert t.run("modinfo sekimori", check=False).status != 0, said
    assert "module-kernels" in failed_checks(t)[0]
    plug_held(t)  # by the module that is in the kernel
    t.unplug("held")
    t.run(f"mv /root/headers /lib/modules/{kver}/build")
    said = t.run(RECONFIGURE.format("sekimori-dkms"), timeout=900).out
    assert t.run("modinfo -F signer sekimori").out.strip(), said
    assert "module-kernels" not in failed_checks(t)[0], said


READ_ONLY = "mount --bind /etc /etc; mount -o remount,bind,ro /etc"


def test_packages_that_are_configured_with_a_read_only_etc_hold_and_can_be_repaired(t):
    ready(t)
    paths = bring(t, [deb for deb in built() if "-dkms_" not in deb])
    t.run("dpkg --unpack " + " ".join(paths) + " 2>&1", timeout=300)
    t.run(READ_ONLY)
    # dpkg's own files in /etc come before our scripts.
    done = t.run("dpkg --configure -a < /dev/null 2>&1", timeout=300, check=False)
    assert done.status != 0 and "Read-only file system" in done.out, done
    assert "install ok installed" not in t.run("dpkg-query -W -f '${Status}' sekimori").out
    plug_held(t)
    t.unplug("held")
    t.run("umount /etc")
    said = t.run("DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a < /dev/null 2>&1", timeout=600).out
    assert "install ok installed" in t.run("dpkg-query -W -f '${Status}' sekimori").out, said
    # Without a policy it is our script that cannot write, and says what to do.
    t.run("rm /etc/sekimori/policy\n" + READ_ONLY)
    done = t.run(RECONFIGURE.format("sekimori"), timeout=300, check=False)
    assert done.status != 0 and "/etc/sekimori/policy cannot be written" in done.out and "dpkg --configure -a" in done.out, done
    plug_held(t)
    t.unplug("held")
    t.run("umount /etc")
    said = t.run(RECONFIGURE.format("sekimori"), timeout=300).out
    assert t.run("cmp /etc/sekimori/policy /usr/share/sekimori/terminal.policy", check=False).status == 0, said
    ready(t)
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")


def test_in_1970_an_unknown_stick_is_denied_and_the_doctor_names_the_clock(t):
    ready(t)
    assert t.run("date +%Y").out.strip() == "1970"
    since = Since(t)
    plug_held(t)
    denied = since.wait("denied", SLOW, serial="NOBODY")
    assert denied["reason"] == "not-registered", denied
    failed, warned = failed_checks(t)
    assert "clock-sane" in {**failed, **warned}, (failed, warned)


def test_without_d_bus_the_daemon_holds_and_records(t):
    """It works without the bus; nobody can ask it anything."""
    since = Since(t)
    plug_held(t)
    since.wait("denied", SLOW, serial="NOBODY")
    assert t.run("systemctl is-active sekimorid").out.strip() == "active"
    failed, warned = failed_checks(t)
    assert "daemon" in failed, (failed, warned)
    assert "bus cannot be reached" in service_log(t), service_log(t)
