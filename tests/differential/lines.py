# SPDX-License-Identifier: GPL-2.0-or-later
"""Generates lines of the rule language, from its grammar, and breaks about half of them.

Everything comes from one random.Random, so a seed always gives the same lines. Lines are bytes without
line feed.
"""

TARGETS = (b"allow", b"block", b"reject", b"match", b"device")
STRINGS = (b"name", b"hash", b"parent-hash", b"serial", b"via-port", b"with-connect-type", b"label")
OPERATORS = (b"all-of", b"one-of", b"none-of", b"equals", b"equals-ordered", b"match-all")
KEYWORDS = TARGETS + STRINGS + OPERATORS + (b"id", b"with-interface", b"if", b"true", b"localtime(10:00)")
HEX = "0123456789abcdefABCDEF"

PIECES = (b"Sakura", b"USB DISK 3.0", b"5A00-0017", b"usb2", b"1-2.3", b"hotplug", b"not used", b"",
          b" ", b"\t", b"'", b"#", b"{ }", b")", b"(", b"*", b":", b"!", b"\\\"", b"\\\\", b"\\x41",
          b"\\x0a", b"\\x1B", b"\\x7f", b"\\xe9\\x96\\xa2", b"\\xe2\\x80\\xae", b"\\xff",
          b"\\xc3(", b"\\x00", "関守の媒体".encode(), "é".encode(), "\U0001f511".encode(),
          "\u202e".encode(), b"\x01", b"\x1b[2J", b"/=+", b"if", b"allow")

# What stands in place of a good argument: some refused by both, some by one.
TIMES_ODD = (b"17:15x", b"08:30-17:15-18:00", b"08:30-", b"08:99", b"08: 30", b"25:00", b"17:15-08:30",
             b"Mon-Fri 08:30-17:15", b"Sat-Mon 22:00-24:00", b"Mon,Wed 10:00", b"08:30:15-17:15:00",
             b"08:30:15", b"08:30-24:00", b"24:00", b"x", b"8", b"08:30 - 17:15", b" 08:30", b"08:30 ",
             b"23:59-00:00", b"Mon", b"mon 10:00", b"10:00\\-11:00", b"-10:00", b"10:00--11:00",
             b"+1:00", b"1:2", b"1:2-3:4", b"001:00", b"10:00-9:59", b"10:00-10:00", b"12:60",
             b"10:00\xc2\xa0", b"22:00-06:00", b"Fri 22:00-06:00", b"00:00-24:00", b"23:59:59-00:00:01",
             b"Mon- 10:00", b"Mon-Fri", b"10:00:60", b"10:00:", b"10:00\t-\t11:00", b"Mon\t10:00")
DURATIONS_ODD = (b"90m", b"2d", b"8h", b"10s", b"x", b"0", b"00:00", b"0m", b"90x", b"90 m", b" 90",
                 b"90 ", b"-5", b"+5", b"99:99", b"100:00", b"1:2:3", b"1:2:3:4", b"5:", b":5", b"1e3",
                 b"12345678901234567890", b"0x10", b"10m5", b"m", b"24:00", b"23:60", b"00:00:00",
                 b"10:00x", b"1.5h", b"10M", b"\\10", b"999999999d", b"9999999999", b"1:2:", b" 1:2",
                 b"1: 2")
RANDOMS_ODD = (b"2", b"-1", b"nan", b"inf", b"0x1p-1", b"1e-3", b"+0.5", b" 0.5", b"0.5 ", b"0.5x", b".",
               b"x", b"1.0000001", b"0.5.5", b".5", b"5.", b"00.5", b"1e999", b"1..", b"infinity", b"",
               b"0.5,5", b"1e-999", b"0." + b"0" * 400 + b"1", b"9" * 400, b"-0")
MATCHES_ODD = (b"", b" ", b"allow", b"#x", b"id 1234:5678 #x", b"name \"a\" ", b" name \"a\"", b"if true",
               b"*:5678", b"id 1234:5678 id 1234:5678", b"if random", b"id{1234:5678}", b"1234:*",
               b"id { 1234:5678 }", b"if allowed-matches", b"if allowed-matches(id 1234:5678",
               b"if allowed-matches(id 1234:5678\\)", b"name \"a\\\"b\"", b"name \"\\x28\"", b"  1234:*",
               b"label \"a\" label \"b\"", b"if rule-applied", b"if !false", b"name \"\\q\"", b"name \"\\n\"",
               b"1234:5678#x", b"name \"a", b"foo", b"with-interface 08:06:50name \"a\"", b"\t1234:5678")


class Lines:
    def __init__(self, rng):
        self.rng = rng

    # --- values ---

    def hex(self, n):
        return "".join(self.rng.choice(HEX) for _ in range(n)).encode()

    def blank(self):
        return self.rng.choice((b" ", b" ", b" ", b" ", b"  ", b"\t", b" \t "))

    def maybe_blank(self):
        return self.rng.choice((b"", b" ", b" ", b"\t", b"  "))

    def id(self):
        kind = self.rng.randrange(8)
        if kind == 0:
            return b"*:*"
        return self.hex(4) + b":" + (b"*" if kind < 3 else self.hex(4))

    def string(self):
        n = self.rng.choice((0, 1, 1, 1, 2, 3))
        return b'"' + b"".join(self.rng.choice(PIECES) for _ in range(n)) + b'"'

    def interface(self):
        kind = self.rng.randrange(4)
        if kind == 0:
            return self.hex(2) + b":*:*"
        return self.hex(2) + b":" + self.hex(2) + b":" + (b"*" if kind == 1 else self.hex(2))

    def time(self):
        hour, minute = self.rng.randrange(24), self.rng.randrange(60)
        return hour * 60 + minute

    def write_time(self, minutes):
        form = self.rng.choice(("%02d:%02d", "%d:%02d", "%d:%d"))
        return (form % divmod(minutes, 60)).encode()

    def localtime(self):
        if self.rng.randrange(6) == 0:
            return self.rng.choice(TIMES_ODD)
        begin, end = self.time(), self.time()
        if self.rng.randrange(3) == 0:
            return self.write_time(begin)
        if begin > end and self.rng.randrange(6):
            begin, end = end, begin
        return self.write_time(begin) + b"-" + self.write_time(end)

    def duration(self):
        if self.rng.randrange(8) == 0:
            return self.rng.choice(DURATIONS_ODD)
        if self.rng.randrange(3) == 0:
            return self.write_time(self.time())
        return b"%d" % self.rng.randrange(1, 100000) + self.rng.choice((b"", b"s", b"m", b"h", b"d"))

    def probability(self):
        if self.rng.randrange(8) == 0:
            return self.rng.choice(RANDOMS_ODD)
        return ("%.*f" % (self.rng.randrange(5), self.rng.random())).encode()

    def matches(self):
        if self.rng.randrange(12) == 0:
            return self.rng.choice(MATCHES_ODD)
        # A parenthesis would end the argument, so no conditions with arguments inside.
        text = self.attributes(self.rng.choice((1, 1, 2)), own=0.05, nested=True)
        if self.rng.randrange(6) == 0:
            text = self.id() + self.blank() + text
        return text.replace(b")", b"").replace(b"(", b"")

    def condition(self, nested=False):
        kind = self.rng.randrange(12)
        negation = b"!" if self.rng.randrange(4) == 0 else b""
        argument = self.rng.random() < 0.85 and not nested
        if kind < 2:
            name = self.rng.choice((b"true", b"false"))
            text = name + (b"(anything)" if argument and self.rng.randrange(8) == 0 else b"")
        elif kind < 4:
            text = b"random" + (b"(" + self.probability() + b")" if argument else b"")
        elif kind < 7:
            text = b"localtime" + (b"" if nested else b"(" + self.localtime() + b")")
        elif kind < 10:
            name = self.rng.choice((b"rule-applied", b"rule-evaluated"))
            text = name + (b"(" + self.duration() + b")" if argument else b"")
        elif nested:
            text = b"true"
        else:
            text = b"allowed-matches(" + self.matches() + b")"
        return negation + text

    # --- attributes ---

    def value_or_set(self, value, operators=OPERATORS):
        if self.rng.random() < 0.6:
            return value()
        operator = b""
        if operators and self.rng.random() < 0.7:
            operator = self.rng.choice(operators) + self.blank()
        n = self.rng.choice((1, 1, 2, 2, 3, 6))
        inside = b"".join(self.blank() + value() for _ in range(n))
        # No blank is needed behind the first brace.
        inside = inside if self.rng.randrange(4) else inside.lstrip(b" \t")
        return operator + b"{" + inside + self.maybe_blank() + b"}"

    def own_attribute(self):
        """Attributes that only our language has."""
        name = self.rng.choice((b"access", b"encrypted", b"for-user", b"for-group", b"on-terminal",
                                b"from", b"until", b"fingerprint", b"only-interface"))
        if name == b"access":
            value = self.rng.choice((b"ro", b"rw"))
        elif name == b"encrypted":
            value = self.rng.choice((b"luks2", b"optional", b"{ luks2 }", b"luks2 luks2"))
        elif name in (b"from", b"until"):
            value = self.rng.choice((b"2026-04-01", b"2026-04-01T08:30", b"2028-02-29T23:59:59"))
        elif name == b"only-interface":
            value = self.value_or_set(self.interface, None)
        else:
            value = self.value_or_set(self.string)
        return name + self.blank() + value

    def attribute(self, name, nested):
        if name == b"id":
            value = self.value_or_set(self.id)
        elif name == b"with-interface":
            value = self.value_or_set(self.interface)
        elif name == b"if":
            value = self.value_or_set(lambda: self.condition(nested))
        else:
            value = self.value_or_set(self.string)
        return name + self.blank() + value

    def attributes(self, n, own, nested=False):
        names = self.rng.sample((b"id", b"with-interface", b"if", b"if") + STRINGS, n)
        names = list(dict.fromkeys(names))
        if b"label" in names and self.rng.randrange(4) == 0:
            names.append(b"label")
        texts = [self.attribute(name, nested) for name in names]
        if self.rng.random() < own:
            texts.insert(self.rng.randrange(len(texts) + 1), self.own_attribute())
        text = texts[0] if texts else b""
        for more in texts[1:]:
            text += self.blank() + more
        return text

    # --- lines ---

    def comment(self):
        return b"#" + self.rng.choice((b"", b" lent to the north desk", b"#", "貸出中".encode(), b'"', b"\t"))

    def valid(self):
        """A line of the grammar; a few of its arguments may be refused."""
        kind = self.rng.randrange(100)
        if kind == 0:
            return self.rng.choice((b"", b" ", b"\t")) + self.comment()
        line = self.rng.choice(TARGETS if self.rng.randrange(2) else TARGETS[:3])
        if self.rng.randrange(3) == 0:
            line += self.blank() + self.id()
        n = self.rng.choice((0, 1, 1, 2, 2, 3, 4, 6))
        if n:
            line += self.blank() + self.attributes(n, own=0.08)
        if self.rng.randrange(10) == 0:
            line += self.maybe_blank() + self.comment()
        if self.rng.randrange(30) == 0:
            line = self.blank() + line
        if self.rng.randrange(30) == 0:
            line += self.rng.choice((b" ", b"\t", b"  ", b"\r", b" \r"))
        return line

    def broken(self):
        line = self.valid()
        for _ in range(self.rng.choice((1, 1, 1, 2, 3))):
            line = self.rng.choice(MUTATIONS)(self, line)
        return line.replace(b"\n", b"")

    def huge(self):
        """Around the longest line that we take, 64 KiB."""
        size = 65536 + self.rng.choice((-1, 0, 1, 2, 40))
        head, tail = self.rng.choice(((b'allow name "', b'"'), (b"block #", b"x"),
                                      (b"allow if rule-applied(1:2) label \"", b'" # x')))
        return head + b"q" * (size - len(head) - len(tail)) + tail

    def make(self, n):
        for i in range(n):
            if i % 4000 == 3999:
                yield self.huge()
            elif self.rng.random() < 0.42:
                yield self.valid()
            else:
                yield self.broken()


# --- ways to break a line ---

def at(lines, text):
    return lines.rng.randrange(len(text) + 1)


def delete_character(lines, line):
    i = at(lines, line)
    return line[:i] + line[i + 1:]


def insert_character(lines, line):
    i = at(lines, line)
    alphabet = b" \t\r\"\\{}()!#*:x0aZ-,.~'\x01\x7f"
    return line[:i] + bytes([lines.rng.choice(alphabet)]) + line[i:]


def duplicate_part(lines, line):
    i, j = sorted((at(lines, line), at(lines, line)))
    j = min(j, i + 12)
    return line[:j] + line[i:j] + line[j:]


def swap_characters(lines, line):
    i = at(lines, line)
    return line[:i] + line[i + 1:i + 2] + line[i:i + 1] + line[i + 2:]


def change_case(lines, line):
    i = at(lines, line)
    return line[:i] + line[i:i + 1].swapcase() + line[i + 1:]


def cut_line(lines, line):
    return line[:at(lines, line)]


def change_tokens(lines, line):
    tokens = line.split(b" ")
    i, j = lines.rng.randrange(len(tokens)), lines.rng.randrange(len(tokens))
    kind = lines.rng.randrange(4)
    if kind == 0:
        del tokens[i]
    elif kind == 1:
        tokens.insert(j, tokens[i])
    elif kind == 2:
        tokens[i], tokens[j] = tokens[j], tokens[i]
    else:
        tokens[i] = lines.rng.choice(KEYWORDS)
    return b" ".join(tokens)


def join_tokens(lines, line):
    blanks = [i for i, c in enumerate(line) if c in b" \t"]
    if not blanks:
        return line
    i = lines.rng.choice(blanks)
    return line[:i] + line[i + 1:]


def replace_one(old, new):
    def mutate(lines, line):
        places = [i for i in range(len(line)) if line.startswith(old, i)]
        if not places:
            return insert_character(lines, line)
        i = lines.rng.choice(places)
        return line[:i] + lines.rng.choice(new) + line[i + len(old):]
    return mutate


def double_target(lines, line):
    id_ = lines.rng.choice((b"", b"", b" " + lines.id()))
    return lines.rng.choice(TARGETS) + id_ + line


def append(*texts):
    def mutate(lines, line):
        return line + b" " + lines.rng.choice(texts)
    return mutate


def insert_bad_bytes(lines, line):
    i = at(lines, line)
    bad = (b"\0", b"\xff", b"\xc3", b"\xe3\x81", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80")
    return line[:i] + lines.rng.choice(bad) + line[i:]


def odd_condition(lines, line):
    name, arguments = lines.rng.choice(((b"localtime", TIMES_ODD), (b"random", RANDOMS_ODD),
                                        (b"rule-applied", DURATIONS_ODD), (b"rule-evaluated", DURATIONS_ODD),
                                        (b"allowed-matches", MATCHES_ODD)))
    return line + b" if " + lines.rng.choice((b"", b"!")) + name + b"(" + \
        lines.rng.choice(arguments) + b")"


MUTATIONS = (
    delete_character, insert_character, duplicate_part, swap_characters, change_case, cut_line,
    change_tokens, change_tokens, double_target, join_tokens, insert_bad_bytes, odd_condition, odd_condition,
    replace_one(b":", (b"", b"::", b":*", b":g", b".")),
    replace_one(b"\\", (b"\\q", b"\\1", b"\\n", b"\\xg", b"\\x", b"\\0", b"\\'", b"")),
    replace_one(b"\"", (b"", b"\"\"", b"'", b"\\\"", b"\" ")),
    replace_one(b"{", (b"", b"{ }", b"{{", b"{ {", b"equals{", b"{ # ")),
    replace_one(b"}", (b"", b"}}", b" } }", b"}x", b"} name \"a\"")),
    replace_one(b"(", (b"", b"()", b"((", b" (", b"(\\", b"(\\x4", b"(\\x41", b"(\\101")),
    replace_one(b")", (b"", b"))", b"\\)", b")x", b" )")),
    replace_one(b"!", (b"!!", b"! ", b"-", b"")),
    append(b"*:5678", b"id *:5678", b"id 123:5678", b"id 12345:5678", b"id 1234:567g", b"id { }"),
    append(b"name { }", b"name all-of { }", b"name all-of \"a\"", b"name all-of{ \"a\" }", b"name{ \"a\" }",
           b"name none-of {\"a\"\"b\"}", b"name ALL-OF { \"a\" }", b"name { \"a\"", b"name any-of { \"a\" }"),
    append(b"with-interface 08:*:50", b"with-interface *:*:*", b"with-interface 8:06:50",
           b"with-interface 08:06", b"with-interface 08:06:50:01", b"with-interface { 08:06:50, 03:01:01 }"),
    append(b"if", b"if foo", b"if true false", b"if { }", b"if !", b"if match-all { true }", b"if true()",
           b"if all-of", b"if { true, false }", b"if 1true", b"if localtime", b"if allowed-matches"),
    append(b"serial \"a\" serial \"b\"", b"serial", b"serial a", b"vendor \"a\"", b"Serial \"a\"",
           b"label \"a\" label \"b\"", b"label one-of { \"a\" } label \"b\"", b"1234:5678"),
    append(b"access", b"access ro access ro", b"access read", b"from 2026-02-30", b"until soon",
           b"encrypted rot13", b"for-user tanaka", b"only-interface all-of { 08:06:50 }",
           b"encrypted optional luks2", b"from 2027-01-01 until 2026-01-01"),
)
