# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipes of docs/provisioning.md, word by word, in a copy of this machine that is thrown away. The tools of others around them are
played: mmdebstrap by a directory and those of its hooks that are ours, apt-get by nothing, the installer by a shell."""
import pathlib
import re
import shlex
import subprocess

from desks import DESK, PASSPHRASE
from harness import BUILD, TOP
from test_provision import key_of, on_machine, place

DOCUMENT = TOP / "docs/provisioning.md"

MMDEBSTRAP = r"""#!/bin/sh
# Runs the hooks on an image that has what the package puts there.
for last; do :; done
mkdir -p "$last/etc/sekimori" "$last/var/lib/systemd" "$last/var/lib/dkms" "$last/var/tmp"
for name in systemd/credential.secret dkms/mok.key dkms/mok.pub; do
	echo x > "$last/var/lib/$name"
done
for word; do
	case "$word" in
	"--customize-hook=copy-in "* | "--customize-hook=chroot "*) ;;
	--customize-hook=*) sh -euc "${word#--customize-hook=}" hook "$last" || exit 1 ;;
	esac
done
"""


def recipe(name):
    found = re.search(rf"<!-- recipe {name} -->\n```\n(.*?)\n```\n<!-- /recipe -->", DOCUMENT.read_text(encoding="utf-8"), re.S)
    assert found, f"{DOCUMENT} has no recipe {name}"
    return found.group(1) + "\n"


def prepared(p, name):
    """The shared directory of the document, and a script of one of its recipes."""
    p.fill()
    p.write("provision.conf", "sekimori-provision 1\nlog-rotate-mib 32\n")
    p.write("../mmdebstrap", MMDEBSTRAP, 0o755)
    p.write(f"../{name}.sh", recipe(name))
    return f"""
        PATH=/usr/local/bin:$PATH
        export PATH
        rm -rf /etc/sekimori /var/lib/sekimori /etc/credstore* /run/systemd
        ln -sf {BUILD}/sekimorictl /usr/local/bin/sekimorictl
        cp {p.directory}/mmdebstrap /usr/local/bin/mmdebstrap
        printf '#!/bin/sh\\n' > /usr/local/bin/apt-get
        chmod 755 /usr/local/bin/apt-get
        mkdir -p /srv/sekimori /etc/sekimori
        cp -r {p.source} /srv/sekimori/common
        cp {p.desk.path}/keys/policy-1.pub /srv/sekimori/desk.pub
        """


def installed(root=""):
    return f"grep -c . {root}/etc/sekimori/policy {root}/etc/sekimori/policy.policy-1.minisig {root}/etc/sekimori/trust.d/*.trust | wc -l;" \
           f"tail -n 2 {root}/etc/sekimori/sekimorid.conf; ls {root}/etc/credstore 2>/dev/null | wc -l"


def test_mmdebstrap():
    with place() as p:
        out = on_machine(p, prepared(p, "mmdebstrap") + f"""
            sh -eu {p.directory}/mmdebstrap.sh > /dev/null
            ls /etc/sekimori /srv/sekimori/image/var/lib/systemd /srv/sekimori/image/var/lib/dkms | grep -c -e policy -e credential -e mok || true
            {installed("/srv/sekimori/image")}""").split("\n")
        assert out[:4] == ["0", "3", "log-rotate-mib 32", "0"], out


def test_live_build():
    with place() as p:
        out = on_machine(p, prepared(p, "live-build") + f"""
            mv /srv/sekimori /usr/share/organisation
            mkdir -p /var/lib/dkms
            echo x > /var/lib/dkms/mok.key
            sh -eu {p.directory}/live-build.sh > /dev/null
            {installed()}; ls /var/lib/dkms/mok.* 2>/dev/null | wc -l""").split("\n")
        assert out[:4] == ["3", "log-rotate-mib 32", "0", "0"], out


def test_preseed():
    head, _, command = recipe("late-command").strip().partition("late_command string ")
    assert head == "d-i preseed/" and command
    with place() as p:
        out = on_machine(p, prepared(p, "preseed") + f"""
            mv /srv/sekimori /srv/organisation
            mkdir -p /srv/organisation/debs /cdrom /root
            rm -rf /target
            ln -s / /target
            cp {p.directory}/preseed.sh /srv/organisation/late.sh
            tar -C /srv -cf /cdrom/organisation.tar organisation
            printf '#!/bin/sh\\nexec "$@"\\n' > /usr/local/bin/in-target
            chmod 755 /usr/local/bin/in-target
            echo zei-014 > /etc/hostname
            sum=$(sha256sum /cdrom/organisation.tar | cut -c 1-64)
            echo {shlex.quote(command)} | sed "s/SUM/$sum/" > /srv/late
            cp /cdrom/organisation.tar /srv/right.tar
            echo >> /cdrom/organisation.tar
            sh /srv/late > /dev/null 2>&1 && echo taken
            find /etc/sekimori /root/organisation -type f 2>/dev/null | wc -l
            cp /srv/right.tar /cdrom/organisation.tar
            sh /srv/late > /dev/null
            {installed()}; ls -d /root/organisation* 2>/dev/null | wc -l""").split("\n")
        assert out[:6] == ["0", "3", "terminal ZEI-014", "log-rotate-mib 32", "0", "0"], out


def test_enrolment_desk_and_signed_file():
    with place() as p:
        begin = prepared(p, "enrol")
        for name in ("desk", "signed"):
            p.write(f"../{name}.sh", recipe(name))
        p.write("../sekimori-desk", f'#!/bin/sh\nexec {DESK} --by=clerk --passphrase-file={p.directory}/words "$@"\n', 0o755)
        p.write("../words", PASSPHRASE + "\n")
        # One machine throughout: its state is what it had when it was enrolled.
        out = on_machine(p, begin + f"""
            mkdir -p /run/systemd/system /root
            printf '#!/bin/sh\\necho inactive\\n' > /usr/bin/systemctl
            ln -sf {p.directory}/sekimori-desk /usr/local/bin/sekimori-desk
            export SEKIMORI_DESK={p.desk.path} ASAN_OPTIONS=detect_leaks=0
            sh -eu {p.directory}/enrol.sh
            cd /srv/sekimori/common
            cp /root/enrol.txt .
            sh -eu {p.directory}/desk.sh > /dev/null
            sekimorictl provision ZEI-014.provision > /dev/null 2>&1 && echo taken
            sekimorictl provision ZEI-014.provision --key={key_of(p.desk)} > /dev/null
            sh -eu {p.directory}/signed.sh
            ls /etc/credstore.encrypted; tail -n 1 /etc/sekimori/sekimorid.conf""").split("\n")
        assert out[:4] == ["There is nothing to do: all of it is in place.", "sekimori.organisation", "sekimori.telephone",
                           "terminal ZEI-014"], out


def test_every_recipe_is_run():
    names = re.findall(r"<!-- recipe ([a-z-]+) -->", DOCUMENT.read_text(encoding="utf-8"))
    here = pathlib.Path(__file__).read_text(encoding="utf-8")
    assert len(names) >= 6 and all(f'"{name}"' in here for name in names), names
    for name in names:
        done = subprocess.run(["sh", "-n"], input=recipe(name), text=True, capture_output=True, check=False)
        assert done.returncode == 0, (name, done.stderr)
