#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds our parser of rules against Debian's usbguard-rule-parser (USBGuard 1.1.2) on generated lines.

Both must accept or refuse each line alike, and write an accepted one alike. What differs by intent is
in the tables below. An entry rewrites a line so that the difference is gone; the rewritten line must then be
accepted by both and come out alike, so an entry covers nothing but itself. An entry that no line
needs is a failure: the table is the list in docs/policy.md.

Usage: run.py [--lines N] [--seed N] [--programs DIR] [--parser PATH]
"""

import argparse
import fcntl
import collections
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

import lines as generator

LINE_MAX = 65536

Verdict = collections.namedtuple("Verdict", "ok text")

# --- both parsers ---


def judge_ours(programs, lines):
    """A Verdict for each line; one process for all, since it goes on after a refused line."""
    # A byte order mark is skipped at the start of a file only: no line shall stand there.
    run = subprocess.run([os.path.join(programs, "rules-canon")], input=b"\n".join([b"#", *lines, b""]),
                         stdout=subprocess.PIPE, check=True)
    answers = run.stdout.split(b"\n")[1:-1]
    if len(answers) != len(lines):
        raise RuntimeError(f"{len(lines)} lines, but {len(answers)} answers")
    verdicts = []
    for line, answer in zip(lines, answers):
        kind, _, text = answer.partition(b"\t")
        if kind == b"bad":
            column = int(text.split(b":")[0])
            if not 1 <= column <= len(line) + 1:
                kind = b"bad column"
        verdicts.append(Verdict({b"ok": True, b"none": True, b"bad": False}.get(kind), text))
    return verdicts


class Theirs:
    """usbguard-rule-parser -f, which ends at the first line that it refuses and is then run again.

    again.so lets it be loaded and linked once and forks for each run.
    """

    def __init__(self, programs, parser):
        self.here, there = socket.socketpair()
        self.input, self.output = os.memfd_create("input"), os.memfd_create("output")
        null = os.open(os.devnull, os.O_RDWR)
        # Above the numbers that the child gets them under: what comes later must not cover what comes first.
        child = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (there.fileno(), self.input, self.output, null)]
        environment = {"LD_PRELOAD": os.path.abspath(os.path.join(programs, "again.so")),
                       "LD_BIND_NOW": "1", "TZ": "UTC", "LC_ALL": "C"}
        actions = [(os.POSIX_SPAWN_DUP2, *pair)
                   for pair in zip(child, (3, 4, 1, 2))]
        self.pid = os.posix_spawn(parser, [parser, "-f", "/proc/self/fd/4"], environment,
                                  file_actions=actions)
        there.close()
        for fd in (*child, null):
            os.close(fd)

    def close(self):
        self.here.close()
        os.waitpid(self.pid, 0)

    def run_once(self, lines):
        """Verdicts of the lines up to the first refused one."""
        os.ftruncate(self.input, 0)
        os.pwrite(self.input, b"\n".join([*lines, b""]), 0)
        os.ftruncate(self.output, 0)
        os.lseek(self.output, 0, os.SEEK_SET)
        self.here.send(b"\0")
        status = struct.unpack("i", self.here.recv(4))[0]
        text = os.pread(self.output, os.fstat(self.output).st_size, 0)
        found = text.split(b"\n")[:-1]
        verdicts = []
        for line, said, written in zip(lines, found[0::2], found[1::2]):
            if said != b"INPUT: " + line or not written.startswith(b"OUTPUT: "):
                raise RuntimeError(f"strange answer to {line!r}: {said!r} {written!r}")
            verdicts.append(Verdict(True, written[len(b"OUTPUT: "):]))
        if len(verdicts) < len(lines):
            if not status or not found or found[-1] != b"INPUT: " + lines[len(verdicts)]:
                raise RuntimeError(f"status {status}, but no answer to {lines[len(verdicts)]!r}")
            verdicts.append(Verdict(False, b"" if os.WIFEXITED(status) else b"(it crashed)"))
        elif status:
            raise RuntimeError(f"status {status}, but every line was answered")
        return verdicts

    def judge(self, lines, at_once):
        done = 0
        while done < len(lines):
            verdicts = self.run_once(lines[done:done + at_once])
            yield from verdicts
            done += len(verdicts)


def judge_theirs(options, lines, expected):
    """A Verdict for each line. Those expected to pass go many at a time, the others one by one."""
    verdicts = [Verdict(True, b"")] * len(lines)  # it skips empty lines
    good = [i for i, line in enumerate(lines) if line and expected[i]]
    bad = [i for i, line in enumerate(lines) if line and not expected[i]]
    half = len(bad) // 2
    failures = []

    def work(jobs):
        theirs = Theirs(options.programs, options.parser)
        try:
            for indexes, at_once in jobs:
                for i, verdict in zip(indexes, theirs.judge([lines[i] for i in indexes], at_once)):
                    verdicts[i] = verdict
        except (RuntimeError, OSError, struct.error) as error:
            failures.append(error)
        finally:
            theirs.close()

    threads = [threading.Thread(target=work, args=(jobs,))
               for jobs in (((bad[:half], 1),), ((bad[half:], 1), (good, 500)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return verdicts


# --- differences ---

STRING = rb'"(?:[^"\\\r]|\\.)*"'
# Strings, arguments of conditions and comments, none of which is looked into from outside.
PARTS = re.compile(rb'(?P<string>' + STRING + rb')'
                   rb'|(?P<condition>[a-z-]+)\((?P<argument>(?:[^)\\\r]|\\.)*)\)'
                   rb'|(?P<comment>#.*)'
                   rb'|(?P<rest>[^"#\s(){}!]+|.)', re.S)


def outside_comment(line, function):
    """Applies a function to each part before a comment."""
    def one(match):
        return match.group() if match.group("comment") is not None else function(match)
    return PARTS.sub(one, line)


def arguments(names, differs, plain):
    """Rewrites arguments of these conditions that differ."""
    def one(match):
        if match.group("condition") in names and differs(match.group("argument")):
            return match.group("condition") + b"(" + plain + b")"
        return match.group()
    return lambda line: outside_comment(line, one)


def substitute(pattern, plain):
    """Rewrites what matches, wherever strings do not begin or end in it."""
    return lambda line: re.sub(pattern, plain, line, flags=re.S)


DAY = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
TIME = re.compile(rb"[ \t]*(?P<days>" + DAY + rb"(?:-" + DAY + rb")?(?:," + DAY + rb"(?:-" + DAY +
                  rb")?)*[ \t]+)?(\d\d?):(\d\d?)(?::(\d\d?))?(?:[ \t]*-[ \t]*(\d\d?):(\d\d?)(?::(\d\d?))?)?"
                  rb"[ \t]*")


def window(argument):
    """What our language calls a window: (days, begin, end, seconds are written), or None."""
    match = TIME.fullmatch(argument)
    if not match:
        return None
    h, m, s, h2, m2, s2 = (int(group) if group else 0 for group in match.groups()[1:])
    begin, end = h * 3600 + m * 60 + s, h2 * 3600 + m2 * 60 + s2
    if match.group(5) is None:
        end = None
    if h > 23 or m > 59 or s > 59 or m2 > 59 or s2 > 59 or (end is not None and end > 86400):
        return None
    return match.group("days"), begin, end, bool(match.group(4) or match.group(7))


def has_window(test):
    return lambda argument: window(argument) is not None and test(*window(argument))


DURATION = re.compile(rb"\d{1,9}[smhd]?|\d{1,9}:\d{1,9}(:\d{1,9})?")


def not_a_duration(argument):
    return not DURATION.fullmatch(argument)


def zero_duration(argument):
    return bool(DURATION.fullmatch(argument)) and not re.search(rb"[1-9]", argument)


def in_range(argument):
    return re.fullmatch(rb"\d*\.?\d*", argument) and argument not in (b"", b".") and \
        0 <= float(argument) <= 1


def vanishing(argument):
    """Above zero, but below what a double holds in full."""
    return in_range(argument) and re.search(rb"[1-9]", argument) and \
        float(argument) < sys.float_info.min


def last_target(line):
    target = b"(?:" + b"|".join(generator.TARGETS) + b")"
    id_ = rb"(?:[0-9a-fA-F]{4}:(?:[0-9a-fA-F]{4}|\*)|\*:\*)"
    return re.sub(rb"^[ \t]*(?:" + target + rb"(?:[ \t]+" + id_ + rb")?)+(" + target +
                  rb")(?=[ \t#\r]|$)", rb"\1", line)


def strip_blanks(line):
    if not line.strip(b" \t\r"):
        return b""
    return re.sub(rb"\r$", b"", line).strip(b" \t")


def valid_utf8(line):
    return line.decode("utf-8", "replace").replace("\ufffd", "?").encode()


def shorten(line):
    return re.sub(rb"q{1000,}", b"q", line) if len(line) > LINE_MAX else line


SET = rb"(?:\{[ \t]*%s(?:[ \t]+%s)*[ \t]*\})"
INTERFACE = rb"[0-9a-fA-F]{2}:(?:[0-9a-fA-F]{2}|\*):(?:[0-9a-fA-F]{2}|\*)"
OPERATOR = rb"(?:(?:all-of|one-of|none-of|equals|equals-ordered|match-all)[ \t]+)?"
SET_OF_STRINGS = OPERATOR + SET % (STRING, STRING)
SET_OF_INTERFACES = SET % (INTERFACE, INTERFACE)
DATE = rb"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?)?"


def own(name, value):
    """An attribute of ours becomes a label: one may be repeated, and means nothing."""
    return substitute(rb"(?<=[ \t(])" + name + rb"[ \t]+(?:" + value + rb")(?=[ \t#)]|$)", rb'label "own"')


# Accepted by us, refused by USBGuard.
WE_ACCEPT = {
    "blanks before or behind the rule, CR at its end": strip_blanks,
    "localtime: window over midnight":
        arguments((b"localtime",), has_window(lambda d, b, e, s: e is not None and e < b), b"10:00"),
    "localtime: days of the week":
        arguments((b"localtime",), has_window(lambda d, b, e, s: d is not None), b"10:00"),
    "localtime: HH:MM:SS": arguments((b"localtime",), has_window(lambda d, b, e, s: s), b"10:00"),
    "localtime: 24:00 as an end":
        arguments((b"localtime",), has_window(lambda d, b, e, s: e == 86400), b"10:00"),
    "random: above 0, but too small for USBGuard": arguments((b"random",), vanishing, b"0.5"),
    "access": own(b"access", rb"r[ow]"),
    "encrypted": own(b"encrypted", rb"optional|luks2(?:[ \t]+luks2)*|" +
                     SET % (rb"(?:luks2|optional)", rb"luks2")),
    "for-user": own(b"for-user", STRING + rb"|" + SET_OF_STRINGS),
    "for-group": own(b"for-group", STRING + rb"|" + SET_OF_STRINGS),
    "on-terminal": own(b"on-terminal", STRING + rb"|" + SET_OF_STRINGS),
    "fingerprint": own(b"fingerprint", STRING + rb"|" + SET_OF_STRINGS),
    "only-interface": own(b"only-interface", INTERFACE + rb"|" + SET_OF_INTERFACES),
    "from": own(b"from", DATE),
    "until": own(b"until", DATE),
}

# Refused by us, accepted by USBGuard.
WE_REFUSE = {
    "NUL byte": substitute(rb"\0", b"0"),
    "not valid UTF-8": valid_utf8,
    "line longer than 64 KiB": shorten,
    "several targets without a blank between, the last of which counts": last_target,
    "localtime: not a time or window": arguments((b"localtime",), lambda a: window(a) is None, b"10:00"),
    "rule-applied, rule-evaluated: not a duration":
        arguments((b"rule-applied", b"rule-evaluated"), not_a_duration, b"10:00"),
    "rule-applied, rule-evaluated: no time at all":
        arguments((b"rule-applied", b"rule-evaluated"), zero_duration, b"10:00"),
    "random: not a number from 0 to 1": arguments((b"random",), lambda a: not in_range(a), b"0.5"),
}


# --- how both write a rule ---

# What the output of one must become before it is compared; the name counts in the table.
ID_CASE = "written: ids in lower case"
UTF8 = "written: printable UTF-8 as itself"
BAD_UTF8 = "written: escapes that are no UTF-8 as U+FFFD"
EVALUATED = "written: rule-evaluated (USBGuard writes rule-applied)"
MATCHER = "written: the argument of allowed-matches in canonical form"
WRITTEN = (ID_CASE, UTF8, BAD_UTF8, EVALUATED, MATCHER)


def string_bytes(text):
    def one(match):
        escape = match.group(1)
        return bytes([int(escape[1:], 16)]) if escape.startswith(b"x") else escape
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|.)", one, text[1:-1], flags=re.S)


def replace_bad(text):
    """As a rule holds it: each byte that is no UTF-8 becomes U+FFFD, unless a NUL spoils it anyway."""
    out, at = b"", 0
    while at < len(text) and b"\0" not in text:
        for n in (1, 2, 3, 4):
            try:
                out += text[at:at + n].decode().encode()
                break
            except UnicodeDecodeError:
                continue
        else:
            n = 1
            out += "\ufffd".encode()
        at += n
    return text if b"\0" in text else out


OPERATORS = (b"equals", b"equals-ordered", b"all-of", b"one-of", b"none-of", b"match-all")


def matcher_values(part):
    """What an allowed-matches asks for, without the ways of writing it: order, braces, comment, labels put together."""
    values = []
    for match in re.finditer(rb'"(?:\\.|[^"\\])*"|#.*|[^\s{}"#]+', part[part.index(b"(") + 1:-1], re.S):
        word = match.group()
        if word.startswith(b"#"):
            break
        if word.startswith(b'"'):
            values.append(replace_bad(string_bytes(word)))
        elif word not in (b"id", b"*:*", b"label", *OPERATORS):
            values.append(word.lower())
    return sorted(values)


def compare_written(ours, theirs):
    """The differences needed to explain two outputs; None if they do not explain them."""
    used = set()
    our_parts = [m for m in PARTS.finditer(ours)]
    their_parts = [m for m in PARTS.finditer(theirs)]
    if len(our_parts) != len(their_parts):
        return None
    for our, their in zip(our_parts, their_parts):
        a, b = our.group(), their.group()
        if a == b:
            continue
        if our.group("string") is not None and their.group("string") is not None:
            mine, other = string_bytes(a), string_bytes(b)
            if re.search(rb"[\x00-\x1f\x7f]", a):
                return None
            if mine != other:
                if mine != replace_bad(other):
                    return None
                used.add(BAD_UTF8)
            if re.search(rb"[\x80-\xff]", a):
                used.add(UTF8)
        elif re.fullmatch(rb"[0-9a-f]{4}:([0-9a-f]{4}|\*)", a) and a == b.lower():
            used.add(ID_CASE)
        elif re.fullmatch(rb"rule-evaluated(\(.*)?", a, re.S) and \
                a.replace(b"evaluated", b"applied", 1) == b:
            used.add(EVALUATED)
        elif re.match(rb"!?allowed-matches\(", a) and matcher_values(a) == matcher_values(b):
            if re.search(rb"[\x00-\x1f\x7f]", a):
                return None
            used.add(MATCHER)
        else:
            return None
    return used


# --- the verdict on a line ---


def rewrite(line, ours_ok):
    """The line without the differences of that direction, and their names."""
    used = []
    for name, function in (WE_ACCEPT if ours_ok else WE_REFUSE).items():
        changed = function(line)
        if changed != line:
            used.append(name)
            line = changed
    return line, used


def judge_both(options, lines):
    ours = judge_ours(options.programs, lines)
    return ours, judge_theirs(options, lines, [verdict.ok for verdict in ours])


def complain(line, ours, theirs, why):
    print(f"FAIL  {why}")
    print(f"      line    {line if len(line) < 600 else line[:600] + b'...'!r}")
    print(f"      ours    {ours.ok} {ours.text[:600]!r}")
    print(f"      USBGuard {theirs.ok} {theirs.text[:600]!r}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--lines", type=int, default=int(os.environ.get("DIFFERENTIAL_LINES", 30000)))
    options.add_argument("--seed", type=int, default=int(os.environ.get("DIFFERENTIAL_SEED", 1)))
    options.add_argument("--programs", default="build/differential")
    options.add_argument("--parser", default="/usr/bin/usbguard-rule-parser")
    options.add_argument("--show", type=int, default=20, help="failures to show")
    options = options.parse_args()
    start = time.monotonic()

    lines = list(generator.Lines(random.Random(options.seed)).make(options.lines))
    ours, theirs = judge_both(options, lines)
    counts = collections.Counter()
    failures = []
    again = []  # lines to judge once more, rewritten
    for line, mine, other in zip(lines, ours, theirs):
        if mine.ok is None:
            failures.append((line, mine, other, "our parser contradicts itself"))
        elif mine.ok != other.ok:
            plain, used = rewrite(line, mine.ok)
            if used:
                again.append((line, mine, other, plain, used))
            else:
                failures.append((line, mine, other, "the verdicts differ"))
        elif mine.ok:
            used = compare_written(mine.text, other.text)
            if used is None:
                failures.append((line, mine, other, "written differently"))
            else:
                counts.update(used)
    verdicts = judge_both(options, [entry[3] for entry in again])
    for (line, mine, other, plain, used), our_plain, their_plain in zip(again, *verdicts):
        if our_plain.ok and their_plain.ok and \
                compare_written(our_plain.text, their_plain.text) is not None:
            counts.update(used)
        else:
            failures.append((line, mine, other, f"the verdicts differ, even for {plain!r}"))

    for failure in failures[:options.show]:
        complain(*failure)
    dead = [name for name in (*WE_ACCEPT, *WE_REFUSE, *WRITTEN) if not counts[name]]
    for title, names in (("accepted by us alone", WE_ACCEPT), ("refused by us alone", WE_REFUSE),
                         ("accepted by both", WRITTEN)):
        print(f"{title}:")
        for name in names:
            print(f"  {counts[name]:>6}  {name}")
    for name in dead:
        print(f"FAIL  no line shows this difference: {name}")
    crashes = sum(verdict.text == b"(it crashed)" for verdict in theirs)
    if crashes:
        print(f"usbguard-rule-parser crashed on {crashes} lines, counted as refusals")
    accepted = sum(bool(verdict.ok) for verdict in ours)
    print(f"{len(lines)} lines, {accepted} accepted by us, {sum(v.ok for v in theirs)} by USBGuard, "
          f"seed {options.seed}, {time.monotonic() - start:.1f} s")
    failed = len(failures) + len(dead)
    print(f"{len(lines) - len(failures)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
