# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the module cannot be loaded the daemon keeps the second layer, by sysfs and udev's messages: also behind the sandbox of
sekimorid.service, which leaves it no network and of the kernel's settings those of devices."""

from barrier import Since, disks, driver, images, ready, unplug_all
from sessions import options

LONG = True  # a boot for what test_absent_module.py shows without the sandbox
OPTIONS = options(module=False, files={"/etc/sekimori/sekimorid.conf": "terminal ZEI-014\n",
                                       "/etc/modprobe.d/none.conf": "install sekimori /bin/false\n"})
SLOW = 60


def teardown(t):
    unplug_all(t)


def test_second_layer_is_kept_behind_the_sandbox(t):
    ready(t)
    backend = t.run("busctl get-property org.sekimori.Sekimori1 /org/sekimori/Sekimori1 org.sekimori.Sekimori1.Manager Backend").out
    assert backend.strip() == 's "sysfs"', backend
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="NOBODY")
    name = since.wait("denied", serial="NOBODY", timeout=SLOW)["device"]
    assert t.read(f"/sys/bus/usb/devices/{name}:1.0/authorized") == "0" and driver(t, f"{name}:1.0") == ""
    since.assert_no_disk()
    t.plug_storage("b", images.luks2(), serial="GOOD")
    since.wait("allowed", serial="GOOD", timeout=SLOW)
    t.wait_until(lambda: disks(t), SLOW, "the disk")


def test_the_daemon_can_write_no_other_setting_of_the_kernel(t):
    ready(t)
    pid = t.run("systemctl show sekimorid -p MainPID --value").out.strip()
    inside = f"nsenter -t {pid} -m -n"
    for path in ("/proc/sys/kernel/core_pattern", "/sys/kernel/mm/transparent_hugepage/enabled", "/etc/hostname"):
        refused = t.run(f"{inside} sh -c 'cat {path} > {path}'", check=False)
        assert "Read-only file system" in refused.err, (path, refused)
    interfaces = [line.split(":")[0].strip() for line in t.run(f"{inside} cat /proc/net/dev").out.splitlines()[2:]]
    assert interfaces == ["lo"], interfaces
    capabilities = t.run(f"grep CapBnd /proc/{pid}/status").out.split()[1]
    # SYS_PTRACE, SYS_ADMIN, AUDIT_WRITE: capability(7).
    assert int(capabilities, 16) == 1 << 19 | 1 << 21 | 1 << 29, capabilities
