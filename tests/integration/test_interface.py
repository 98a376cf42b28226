# SPDX-License-Identifier: GPL-2.0-or-later
"""The D-Bus face, asked from outside by busctl, gdbus and dbus-send."""
import json
import os
import pwd
import re
import signal
import socket
import struct
import xml.etree.ElementTree as xml

from harness import (DEVICE, ERROR, EXCEPTIONS, GRANT, MANAGER, MEDIUM, NAME, REQUEST, ROOT, STRICT_POLICY, TOP, VOLUME, device,
                     grant, medium, next_signal, request, volume, wait_until, wish, world)

PROPERTIES = "org.freedesktop.DBus.Properties"


def arguments(cell):
    return [tuple(arg.split(" ")) for arg in cell.split(", ") if arg]


def page_tables():
    """Of docs/dbus.md: properties {interface: {name: type}}, signals {interface: {name: [(type, name)]}}, methods {interface: {name:
    ([(type, name)] in, [(type, name)] out, action)}}."""
    properties, signals, methods, interface, kind = {}, {}, {}, None, None
    for line in (TOP / "docs" / "dbus.md").read_text().splitlines():
        if line.startswith("## "):
            interface = line[3:].strip()
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if not cells:
            kind = None
        elif cells[0] in ("property", "signal", "method"):
            kind = cells[0]
        elif kind and not cells[0].startswith("-"):
            for name in cells[0].split(", "):
                if kind == "property":
                    properties.setdefault(interface, {})[name] = cells[1]
                elif kind == "signal":
                    signals.setdefault(interface, {})[name] = arguments(cells[1])
                else:
                    taken, given = (cells[1].split("→") + [""])[:2]
                    methods.setdefault(interface, {})[name] = (arguments(taken.strip()), arguments(given.strip()),
                                                               cells[2].strip("`"))
    return properties, signals, methods


def introspect(w, path):
    data, error = w.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
    assert error is None, error
    return xml.fromstring(data[0])


def everything(w):
    """A path for each interface."""
    w.tell("add 0")
    w.tell("allow 0 M-0007")
    w.tell("volume 0")
    user = pwd.getpwuid(os.getuid()).pw_name
    w.exceptions("emergency-period 4 hours", f'may-declare-emergency "{user}"')
    _, error = w.call(ROOT, EXCEPTIONS, "DeclareEmergency", "a{sv}", *wish(device=device(0), purpose="停電時の出力"))
    assert error is None, error
    return {MANAGER: ROOT, EXCEPTIONS: ROOT, DEVICE: device(0), VOLUME: volume(0), MEDIUM: medium(1), REQUEST: request(1),
            GRANT: grant(1)}


def member_arguments(member, direction=None):
    return [(a.get("type"), a.get("name")) for a in member.iter("arg") if a.get("direction") == direction]


def test_the_page_and_the_introspection_say_the_same():
    properties, signals, methods = page_tables()
    assert set(properties) == {MANAGER, EXCEPTIONS, DEVICE, VOLUME, MEDIUM, REQUEST, GRANT}, properties
    assert len(signals[MANAGER]) >= 5 and len(signals[EXCEPTIONS]) == 2, signals
    with world() as w:
        found, found_signals, found_methods = {}, {}, {}
        for path in everything(w).values():
            for interface in introspect(w, path).iter("interface"):
                name = interface.get("name")
                if not name.startswith(NAME):
                    continue
                for p in interface.iter("property"):
                    found.setdefault(name, {})[p.get("name")] = p.get("type")
                    assert p.get("access") == "read"
                for s in interface.iter("signal"):
                    found_signals.setdefault(name, {})[s.get("name")] = member_arguments(s)
                for m in interface.iter("method"):
                    action, = [a.get("value") for a in m.iter("annotation") if a.get("name") == NAME + ".Action"] or [""]
                    found_methods.setdefault(name, {})[m.get("name")] = (
                        member_arguments(m, "in"), member_arguments(m, "out"), action)
        assert found == properties, (found, properties)
        assert found_signals == signals, (found_signals, signals)
        assert found_methods == methods, (found_methods, methods)
        reading = {name for of in methods.values() for name, (_, _, action) in of.items() if not action}
        assert reading == {"Details", "ListOwn", "GetOwn"}, "what changes something needs an action"


def test_busctl_reads_the_same_from_the_introspection():
    properties, signals, methods = page_tables()
    with world() as w:
        for interface, path in everything(w).items():
            done = w.run("busctl", f"--address={w.address}", "--full", "introspect", NAME, path, interface)
            assert done.returncode == 0, done.stderr
            rows = [line.split() for line in done.stdout.splitlines() if line.startswith(".")]
            shown = {kind: {row[0][1:]: row[2] for row in rows if row[1] == kind} for kind in ("property", "method", "signal")}
            assert shown["property"] == properties[interface], shown
            assert shown["method"] == {name: "".join(t for t, _ in taken) or "-"
                                       for name, (taken, _, _) in methods.get(interface, {}).items()}, shown
            assert shown["signal"] == {name: "".join(t for t, _ in args)
                                       for name, args in signals.get(interface, {}).items()}, shown


def test_every_action_of_the_page_is_one_of_polkit_s_in_both_languages():
    _, _, methods = page_tables()
    page = (TOP / "docs" / "dbus.md").read_text()
    actions = {action.get("id"): action for action in xml.parse(TOP / "policy" / "org.sekimori.policy").iter("action")}
    used = {action for of in methods.values() for _, _, action in of.values() if action}
    assert used <= set(actions), used
    for name, action in actions.items():
        assert f"| `{name}` |" in page, name
        for tag in ("description", "message"):
            languages = [text.get("{http://www.w3.org/XML/1998/namespace}lang", "en") for text in action.iter(tag)]
            assert languages == ["en", "ja"], (name, tag)
        defaults = [action.find("defaults/" + tag).text for tag in ("allow_any", "allow_inactive", "allow_active")]
        row, = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        words = {"yes": "yes", "no": "no", "auth_admin": "an administrator's password"}
        assert [cell.strip() for cell in row.strip("|").split("|")][1:] == [words[defaults[2]], words[defaults[0]]], row
        assert defaults[0] == defaults[1]


def test_the_rules_for_groups_are_those_of_the_page():
    """The table in policy/50-sekimori.rules, read as the object that it is."""
    text = (TOP / "policy" / "50-sekimori.rules").read_text()
    allowed = json.loads(re.search(r"var allowed = (\{.*?\});", text, re.S).group(1))
    actions = {action.get("id") for action in xml.parse(TOP / "policy" / "org.sekimori.policy").iter("action")}
    assert set(allowed) <= actions, allowed
    page = (TOP / "docs" / "dbus.md").read_text()
    rows = {}
    for group, names in re.findall(r"^\| `(sekimori-\w+)` \| ([a-z, -]+) \|$", page, re.M):
        for name in names.split(", "):
            rows.setdefault(f"org.sekimori.{name}", set()).add(group)
    assert rows == {action: set(groups) for action, groups in allowed.items()}, rows
    # Nothing but these says yes, and nobody but their members is told so.
    assert text.count("polkit.Result.YES") == 1 and "subject.isInGroup(groups[i])" in text and text.count("addRule") == 1


def test_every_property_has_the_type_that_introspection_says():
    with world() as w:
        for interface, path in everything(w).items():
            tree = introspect(w, path)
            types = {p.get("name"): p.get("type") for i in tree.iter("interface")
                     if i.get("name") == interface for p in i.iter("property")}
            data, _ = w.call(path, PROPERTIES, "GetAll", "s", interface)
            assert {k: v["type"] for k, v in data[0].items()} == types


def test_tools_can_walk_the_tree_from_the_root():
    with world() as w:
        w.tell("add 3")
        w.tell("add 12")
        done = w.run("busctl", f"--address={w.address}", "tree", "--list", NAME)
        assert done.returncode == 0, done.stderr
        assert set(done.stdout.split()) >= {"/", ROOT, ROOT + "/devices", device(3), device(12)}
        done = w.run("gdbus", "introspect", "--system", "--dest", NAME, "--object-path", device(12))
        assert "readonly t VerdictMicroseconds = 0" in done.stdout, done.stdout + done.stderr
        done = w.run("busctl", f"--address={w.address}", "introspect", NAME, device(12))
        assert ".VerdictMicroseconds" in done.stdout and "const" in done.stdout, done.stdout


def test_gdbus_reads_a_device():
    with world() as w:
        w.tell("add 1")
        done = w.run("gdbus", "call", "--system", "--dest", NAME, "--object-path", device(1),
                     "--method", PROPERTIES + ".Get", DEVICE, "Product")
        assert done.stdout.strip() == "(<'区役所の媒体'>,)", (done.stdout, done.stderr)


def test_managed_objects_hold_every_device_with_all_values():
    with world() as w:
        w.tell("add 0")
        w.tell("add 1")
        w.tell("allow 1 M-0007")
        data, error = w.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        assert error is None, error
        assert set(data[0]) == {device(0), device(1), medium(1)}
        values = {k: v["data"] for k, v in data[0][device(1)][DEVICE].items()}
        assert values["State"] == "allowed" and values["Reason"] == "proved"
        assert values["Medium"] == "M-0007" and values["Method"] == "luks2"
        assert values["Id"] == "46f4:0001" and values["Name"] == "1-1"
        assert values["Interfaces"] == [[0, 8, 6, 80, "released", "usb-storage"],
                                        [1, 3, 1, 1, "passed", "usbhid"]]
        assert values["BlockDevices"] == ["sda"] and values["VerdictMicroseconds"] == 1234
        assert data[0][device(0)][DEVICE]["VerdictMicroseconds"]["data"] == 0
        w.tell("remove 0")
        data, _ = w.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        assert set(data[0]) == {device(1), medium(1)}


def test_a_change_is_announced_with_the_new_values():
    with world() as w:
        w.tell("add 0")
        lines = w.monitor()
        w.tell("deny 0 not-registered")
        message = next_signal(lines, "PropertiesChanged")
        interface, changed, invalidated = message["payload"]["data"]
        assert message["path"] == device(0) and interface == DEVICE and invalidated == []
        assert changed["State"]["data"] == "denied"
        assert changed["Reason"]["data"] == "not-registered"
        assert changed["DecidedBy"]["data"] == "default"
        assert "Serial" not in changed, "a constant property is no news"
        w.tell("log cannot be written: No space left on device")
        interface, changed, _ = next_signal(lines, "PropertiesChanged")["payload"]["data"]
        assert interface == MANAGER
        assert changed["LogState"]["data"] == "cannot be written: No space left on device"


def test_signals_carry_the_record_with_its_types():
    with world() as w:
        lines = w.monitor()
        w.tell("add 0")
        added = next_signal(lines, "InterfacesAdded")
        assert added["path"] == ROOT and added["payload"]["data"][0] == device(0)
        w.tell("hold 0")
        message = next_signal(lines, "DeviceHeld")
        assert message["path"] == ROOT and message["interface"] == MANAGER
        path, record = message["payload"]["data"]
        assert path == device(0)
        assert record["seq"] == {"type": "t", "data": 7}
        assert record["synchronised"] == {"type": "b", "data": True}
        assert record["offset"] == {"type": "x", "data": -5}
        assert record["device"] == {"type": "s", "data": "1-0"}
        assert "nothing" not in record
        w.tell("attempt")
        assert next_signal(lines, "AttemptRefused")["payload"]["data"][0]["attempt"]["data"] == "bind"


def test_a_removed_device_is_told_before_its_object_goes():
    with world() as w:
        w.tell("add 0")
        lines = w.monitor()
        w.tell("remove 0")
        seen = []
        while "InterfacesRemoved" not in seen:
            line = lines.until(lambda text: '"type":"signal"' in text)
            seen.append(re.search(r'"member":"(\w+)"', line).group(1))
        assert seen.index("DeviceRemoved") < seen.index("InterfacesRemoved"), seen


def test_a_signal_against_its_table_is_not_sent():
    with world() as w:
        try:
            w.tell("wrong")
        except RuntimeError as error:
            assert str(error) == "error 22"
        else:
            raise AssertionError("a DeviceDenied without a device went out")


def test_bad_calls_get_the_right_errors():
    rows = [
        ("/org/nowhere", PROPERTIES + ".GetAll", [f"string:{MANAGER}"], "UnknownObject"),
        (device(99), PROPERTIES + ".GetAll", [f"string:{DEVICE}"], "UnknownObject"),
        (ROOT + "/devices", PROPERTIES + ".GetAll", [f"string:{DEVICE}"], "UnknownObject"),
        (ROOT, "org.example.Nothing.Do", [], "UnknownInterface"),
        (device(0), "org.freedesktop.DBus.ObjectManager.GetManagedObjects", [],
         "UnknownInterface"),
        (ROOT, MANAGER + ".Open", [], "UnknownMethod"),
        (ROOT, PROPERTIES + ".Delete", [], "UnknownMethod"),
        (ROOT, PROPERTIES + ".Get", ["string:org.example.Nothing", "string:Version"],
         "UnknownInterface"),
        (ROOT, PROPERTIES + ".GetAll", ["string:org.example.Nothing"], "UnknownInterface"),
        (ROOT, PROPERTIES + ".Get", [f"string:{MANAGER}", "string:Nothing"], "UnknownProperty"),
        (ROOT, PROPERTIES + ".Get", [f"string:{PROPERTIES}", "string:Nothing"],
         "UnknownProperty"),
        (ROOT, PROPERTIES + ".Set",
         [f"string:{MANAGER}", "string:Backend", "variant:string:none"], "PropertyReadOnly"),
        (device(0), PROPERTIES + ".Set",
         [f"string:{DEVICE}", "string:State", "variant:string:allowed"], "PropertyReadOnly"),
        (ROOT, PROPERTIES + ".Set",
         [f"string:{MANAGER}", "string:Nothing", "variant:string:x"], "UnknownProperty"),
        (ROOT, PROPERTIES + ".Get", ["uint32:1", "string:Version"], "InvalidArgs"),
        (ROOT, PROPERTIES + ".Get", [f"string:{MANAGER}"], "InvalidArgs"),
        (ROOT, PROPERTIES + ".GetAll", [], "InvalidArgs"),
        (ROOT, "org.freedesktop.DBus.Introspectable.Introspect", ["string:x"], "InvalidArgs"),
        (ROOT, "org.freedesktop.DBus.ObjectManager.GetManagedObjects", ["int32:1"],
         "InvalidArgs"),
    ]
    with world() as w:
        w.tell("add 0")
        for path, method, args, error in rows:
            got = w.dbus_send_error(path, method, *args)
            assert got == ERROR + error, (path, method, args, got)
        assert w.get_all(device(0), DEVICE)["State"] == "held"
        assert w.get_all(ROOT, MANAGER)["Backend"] == "kmod"


def test_every_error_on_the_page_is_one_of_these():
    page = (TOP / "docs" / "dbus.md").read_text().split("## Errors")[1]
    for name in ("UnknownObject", "UnknownInterface", "UnknownMethod", "UnknownProperty",
                 "PropertyReadOnly", "InvalidArgs", "AccessDenied", "NoMemory"):
        assert name in page, name


def test_the_standard_interfaces_answer():
    with world() as w:
        for path in (ROOT, "/org"):
            _, error = w.call(path, "org.freedesktop.DBus.Introspectable", "Introspect")
            assert error is None, error
        _, error = w.call(ROOT, "org.freedesktop.DBus.Peer", "Ping")
        assert error is None, error
        # An empty interface name means any.
        data, error = w.call(ROOT, PROPERTIES, "Get", "ss", "", "Terminal")
        assert error is None and data[0]["data"] == "mado-03"


def test_hostile_strings_stay_valid_on_the_bus():
    with world() as w:
        w.tell("add 2")
        w.tell("add 3")
        evil = w.get_all(device(2), DEVICE)
        assert evil["Product"] == 'evil\x1b[2J\n\u202eexe.txt\u200b\\x41 "q"'
        broken = w.get_all(device(3), DEVICE)
        assert broken["Manufacturer"] == "\ufffd\ufffd"
        assert broken["Product"] == "cut \ufffd\ufffd" and broken["Serial"] == "\ufffd\ufffd"
        lines = w.monitor()
        w.tell("deny 3 not-registered")
        _, record = next_signal(lines, "DeviceDenied")["payload"]["data"]
        assert record["product"]["data"] == "cut \ufffd\ufffd"


def rss_kib(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def test_a_bus_that_does_not_read_costs_bounded_memory():
    with world() as w:
        w.tell("flood 100")
        before = rss_kib(w.daemon)
        w.bus.send_signal(signal.SIGSTOP)
        for _ in range(8):
            w.tell("flood 20000")
        dropped = int(w.tell("dropped")[0])
        grown = rss_kib(w.daemon) - before
        w.bus.send_signal(signal.SIGCONT)
        assert dropped > 100000, dropped
        # One mebibyte of messages, each with libdbus' own bookkeeping.
        assert grown < 16 * 1024, grown
        assert w.get_all(ROOT, MANAGER)["Terminal"] == "mado-03"


def marshal_call(serial, destination, path, interface, member):
    def field(code, signature, text):
        body = struct.pack("<B", code) + b"\1" + signature + b"\0"
        return body + struct.pack("<I", len(text)) + text.encode() + b"\0"

    fields = b""
    for row in ((1, b"o", path), (2, b"s", interface), (3, b"s", member), (6, b"s", destination)):
        fields += b"\0" * (-len(fields) % 8) + field(*row)
    head = struct.pack("<BBBBIII", ord("l"), 1, 0, 1, 0, serial, len(fields)) + fields
    return head + b"\0" * (-len(head) % 8)


def test_a_client_that_asks_and_never_reads_costs_nothing():
    with world() as w, socket.socket(socket.AF_UNIX) as client:
        for number in range(8):
            w.tell(f"add {number}")
        w.call(ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        before = rss_kib(w.daemon)
        client.connect(str(w.directory / "bus"))
        client.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        assert client.recv(4096).startswith(b"OK")
        client.sendall(b"BEGIN\r\n" + marshal_call(1, "org.freedesktop.DBus",
                                                   "/org/freedesktop/DBus",
                                                   "org.freedesktop.DBus", "Hello"))
        for serial in range(2, 2002):
            client.sendall(marshal_call(serial, NAME, ROOT, "org.freedesktop.DBus.ObjectManager",
                                        "GetManagedObjects"))
        # Calls are answered in order: when this one is, the others were.
        assert w.get_all(device(7), DEVICE)["State"] == "held"
        wait_until(lambda: rss_kib(w.daemon) - before < 8 * 1024, "the memory being bounded")


def test_the_shipped_policy_lets_root_own_and_everybody_read():
    if os.getuid():
        # What an ordinary user may not do.
        with world(daemon=False, policy=STRICT_POLICY) as w:
            w.daemon_start(wait=False)
            wait_until(lambda: "cannot own" in (w.directory / "stderr").read_text(), "a refusal")
        return
    with world(policy=STRICT_POLICY) as w:
        w.tell("add 0")
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "dbus-send",
                  f"--bus={w.address}", "--print-reply", f"--dest={NAME}"]
        done = w.run(*nobody, ROOT, "org.freedesktop.DBus.ObjectManager.GetManagedObjects")
        assert done.returncode == 0 and device(0) in done.stdout, done.stderr
        done = w.run(*nobody, ROOT, "org.example.Nothing.Do")
        assert "AccessDenied" in done.stderr, done.stderr
        # Let through by the bus, to be refused by the daemon, which records it.
        w.tell(f"records {w.directory}/records")
        done = w.run(*nobody, ROOT, MANAGER + ".ReloadPolicy")
        assert "AccessDenied" in done.stderr and "no-polkit" in done.stderr, done.stderr
        assert '"uid":65534' in (w.directory / "records").read_text()
        done = w.run(*nobody[:-1], "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                     "org.freedesktop.DBus.RequestName", f"string:{NAME}", "uint32:6")
        assert "AccessDenied" in done.stderr, done.stderr
