# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules and media that are for somebody follow who is logged in, as the real logind says."""

from barrier import UUID, Since, disks, images, medium, ready, unplug_all
from policies import use
from sessions import SUZUKI, TANAKA, login, logout, logout_all, options, switch, switch_vt

OPTIONS = options()
LONG = True  # test_session.py follows the seat, test_exceptions.py a person at it


def teardown(t):
    unplug_all(t)
    logout_all(t)


def test_rule_for_a_user_follows_the_session(t):
    ready(t)
    use(t, 'allow with-interface one-of { 08:*:* } for-user "tanaka"\n')
    since = Since(t)
    t.plug_storage("a", images.plain(), serial="T")
    assert since.wait("denied")["reason"] == "other-user", "nobody is logged in"
    login(t, TANAKA, 1)
    since.wait("released", timeout=30)
    t.wait_until(lambda: disks(t), what="tanaka's disk")
    login(t, SUZUKI, 2)
    assert disks(t), "suzuki is logged in, but tanaka sits here"
    switch(t, SUZUKI)
    t.wait_until(lambda: not disks(t), what="no disk for suzuki")
    assert since.wait("revoked")["why"] == "session"
    switch(t, TANAKA)
    t.wait_until(lambda: disks(t), 30, "tanaka's disk again")
    logout(t, TANAKA)
    t.wait_until(lambda: not disks(t), what="no disk after tanaka has left")


def test_medium_of_a_section_is_for_its_members(t):
    ready(t)
    use(t, medium("ZEI-001", "GOOD", UUID, more='holder "@jumin"'))
    since = Since(t)
    t.plug_storage("a", images.luks2(), serial="GOOD")
    assert since.wait("denied")["reason"] == "other-user"
    login(t, TANAKA, 1)
    login(t, SUZUKI, 2)
    assert not disks(t)
    switch(t, SUZUKI)
    t.wait_until(lambda: disks(t), 30, "the section's disk")
    switch_vt(t, 3)
    t.wait_until(lambda: not disks(t), what="no disk where nobody is logged in")
