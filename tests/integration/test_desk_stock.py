# SPDX-License-Identifier: GPL-2.0-or-later
"""The help desk's stock-taking, and the labels on its media."""
import datetime
import json
import re
import xml.etree.ElementTree as ET

from desks import desk

JA = {"LANG": "ja_JP.UTF-8"}
SVG = "{http://www.w3.org/2000/svg}"


def record(kind, medium, ago=60, terminal="ZEI-014", **more):
    moment = datetime.datetime.utcnow() - datetime.timedelta(seconds=ago)
    return json.dumps({"seq": 1, "time": moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "kind": kind, "terminal": terminal,
                       "medium": medium, **more}) + "\n"


def missing(report):
    return [m["number"] for m in report["missing"]]


# --- stock-taking -------------------------------------------------------------------------------


def test_what_was_not_seen_is_reported():
    with desk(6) as d:
        d.ok("lost", "M-5")
        d.ok("dispose", "M-6", "--why=x")
        begun = d.json("stocktake", "--open", "--why=年次棚卸し")
        assert begun["expected"] == 4 and missing(begun) == ["M-1", "M-2", "M-3", "M-4"], begun
        d.ok("stocktake", "seen", "M-1")
        d.ok("stocktake", "seen", "-", input="M-2\r\n\r\n  M-3 \n")
        report = d.json("stocktake")
        assert missing(report) == ["M-4"] and [m["number"] for m in report["seen"]] == ["M-1", "M-2", "M-3"], report
        said = d.ok("stocktake", "--close", env=JA)
        assert "M-4" in said and "M-1" not in said and "未確認1件" in said, said
        assert "no stock-taking is open" in d.refused("stocktake", "--close")
        assert d.state("M-1")["seen"] and d.state("M-4")["seen"] is None
        # A sighting is none of the events of its life.
        assert len(d.history("M-1")) == 1


def test_only_one_is_open_at_a_time():
    with desk(1) as d:
        d.ok("stocktake", "--open")
        assert "open already" in d.refused("stocktake", "--open")
        d.ok("stocktake", "--close")
        d.ok("stocktake", "--open")


def test_seen_earlier_does_not_count_for_this_one():
    with desk(2) as d:
        d.write("log", record("allowed", "M-1", ago=7200))
        d.ok("stocktake", f"--log={d.directory}/log")
        assert missing(d.json("stocktake", "--open")) == ["M-1", "M-2"]
        assert d.json("stocktake")["missing"][0]["seen_at"] == "ZEI-014"


def test_terminals_logs_say_what_was_seen_there():
    with desk(6) as d:
        d.ok("stocktake", "--open")
        lines = [record("allowed", "M-1", ago=-2), record("released", "M-1", ago=-2), record("resumed", "M-2", ago=-5),
                 record("denied", "M-3", ago=-2), record("allowed", "M-4", ago=-200000), "{bad\n", "[]\n", "\n",
                 record("allowed", 5), record("allowed", "M-5", terminal="\x1b[2J"), '{"kind":"allowed"}\n',
                 record("allowed", "M-6", ago=-1)[:-9]]
        d.write("log", "".join(lines))
        done = d.run("stocktake", f"--log={d.directory}/log")
        assert done.returncode == 0 and "6 lines cannot be read, the first is line 5" in done.stderr, done
        assert missing(d.json("stocktake")) == ["M-3", "M-4", "M-5", "M-6"]
        assert "0 sightings noted" in d.ok("stocktake", f"--log={d.directory}/log")
        assert d.state("M-1")["seen_at"] == "ZEI-014"


def test_unknown_numbers_are_told_and_the_others_noted():
    with desk(2) as d:
        d.ok("lost", "M-2")
        done = d.run("stocktake", "seen", "M-1", "X-9\x1b", "M-2")
        assert done.returncode == 1 and "X-9\\x1B is not in the register" in done.stderr, done
        assert "M-2 is entered as lost" in done.stderr, done
        assert d.state("M-1")["seen"] and d.state("M-2")["seen"]


# --- labels ---------------------------------------------------------------------------------------

# Code 128, code set B: characters by the widths of their bars and spaces, from a table of its own: the sums of
# ISO/IEC 15417 tell a wrong one.
STOP = "1100011101011"


def decode(svg):
    """The text of the barcode in a label, checked by its check symbol."""
    group = [g for g in svg.iter(f"{SVG}g") if g.get("class") == "barcode"][0]
    bars = [(int(r.get("x")), int(r.get("width"))) for r in group.iter(f"{SVG}rect")]
    first = bars[0][0]
    modules = ["0"] * (bars[-1][0] + bars[-1][1] - first)
    for x, width in bars:
        modules[x - first:x - first + width] = "1" * width
    modules = "".join(modules)
    assert first == 10 and modules.endswith(STOP), modules
    symbols = [modules[i:i + 11] for i in range(0, len(modules) - len(STOP), 11)]
    values = [PATTERNS.index(s) for s in symbols]
    assert values[0] == 104, values
    assert (104 + sum(i * v for i, v in enumerate(values[1:-1], 1))) % 103 == values[-1], values
    return "".join(chr(v + 32) for v in values[1:-1])


def patterns():
    """The 106 symbols, in the bits that tables of Code 128 print beside the widths."""
    hexes = """6cc 66c 666 498 48c 44c 4c8 4c4 464 648 644 624 59c 4dc 4ce 5cc 4ec 4e6 672 65c 64e 6e4 674 76e 74c 72c 726 764
    734 732 6d8 6c6 636 518 458 446 588 468 462 688 628 622 5b8 58e 46e 5d8 5c6 476 776 68e 62e 6e8 6e2 6ee 758 746 716 768
    762 71a 77a 642 78a 530 50c 4b0 486 42c 426 590 584 4d0 4c2 434 432 612 650 7ba 614 47a 53c 4bc 49e 5e4 4f4 4f2 7a4 794
    792 6de 6f6 7b6 578 51e 45e 5e8 5e2 7a8 7a2 5de 5ee 75e 7ae 684 690 69c"""
    return [format(int(h, 16), "011b") for h in hexes.split()]


PATTERNS = patterns()


def test_a_label_shows_number_class_owner_and_a_barcode():
    with desk(3, **{"class": lambda n: ("I", "II", "III")[n - 1], "number": lambda n: f"R8-ZEIMU-{n:04d}", "content": "<申告書> & \"他\""}) as d:
        for n, class_ in ((1, "I"), (2, "II"), (3, "III")):
            svg = ET.fromstring(d.ok("label", f"R8-ZEIMU-{n:04d}", "--format=svg", env=JA))
            texts = [t.text for t in svg.iter(f"{SVG}text")]
            assert f"R8-ZEIMU-{n:04d}" in texts and "みどり市" in texts and "<申告書> & \"他\"" in texts, texts
            assert "拾得された方は届けてください: 情報課 内線1234" in texts and "有効期限 2027-03-31" in texts, texts
            big = [t for t in svg.iter(f"{SVG}text") if t.get("class") == "class"]
            assert [t.text for t in big] == [class_] and int(big[0].get("font-size")) >= 100
            assert decode(svg) == f"R8-ZEIMU-{n:04d}"


def test_every_number_that_a_label_can_show_is_read_off_it():
    # Every printable ASCII character but the comma of the table's own.
    characters = [chr(c) for c in range(33, 127)]
    chunks = ["".join(characters[i:i + 19]) for i in range(0, len(characters), 19)]
    with desk(len(chunks), number=lambda n: chunks[n - 1]) as d:
        for chunk in chunks:
            svg = ET.fromstring(d.ok("label", "--format=svg", "--", chunk))
            assert decode(svg) == chunk


def test_a_sheet_holds_many_labels_and_needs_nothing_else():
    with desk(12) as d:
        d.ok("label", *[f"M-{n}" for n in range(1, 13)], f"--out={d.directory}/labels.html")
        page = d.read("labels.html")
        assert page.count("<svg ") == 12 and "size: A4" in page
        assert not re.search(r"(src|href)=|url\(|@import|<script", page)


def test_a_number_without_a_barcode_is_printed_all_the_same():
    with desk(2, number=lambda n: ("税-1", "X" * 60)[n - 1]) as d:
        for number in ("税-1", "X" * 60):
            done = d.run("label", number, "--format=svg")
            assert done.returncode == 0 and "without a barcode" in done.stderr
            assert "barcode" not in done.stdout and number in done.stdout
        d.refused("label", "M-99")
        d.refused("label", "税-1", "X", "--format=svg", status=2)
