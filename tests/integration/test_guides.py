# SPDX-License-Identifier: GPL-2.0-or-later
"""The guides for staff and help desk: every command and option that they name exists, every link leads somewhere, and the policy that
they show is one."""
import re
import subprocess
import tempfile

from harness import CTL, TOP

GUIDES = ("docs/staff.md", "docs/help-desk.md")


def read(name):
    return (TOP / name).read_text(encoding="utf-8")


def command_lines(text):
    """What stands after sekimorictl, in blocks and in lines, as words without comments and quoted texts."""
    for match in re.finditer(r"(?<![\w-])sekimorictl ([^`\n#（）]+)", text):
        line = re.sub(r'"[^"]*"', "", match.group(1))
        yield [word.rstrip("、。|") for word in line.split() if word not in ("&&", "|")]


def help_of(*words):
    done = subprocess.run([str(CTL), "help", *words], capture_output=True, text=True, timeout=30, check=False)
    return done.stdout if done.returncode == 0 else None


def test_commands_and_options_in_the_guides_exist():
    seen = set()
    for guide in GUIDES:
        for words in command_lines(read(guide)):
            text = help_of(*words[:2]) or help_of(words[0])
            assert text, (guide, words)
            for word in words:
                if word.startswith("--"):
                    assert f"  {word.split('=')[0]}" in text, (guide, words, text)
            seen.add(" ".join(words[:2]))
    # What somebody whose stick is blocked needs.
    for needed in ("request --phone", "exception report", "exception form", "exception confirm", "grant import", "approve 12", "deny 12",
                   "extend 12", "return 12", "withdraw 12", "revoke 12", "requests --due"):
        assert needed in seen, (needed, sorted(seen))


def anchor(heading):
    """As the usual renderers of Markdown make it: small letters, blanks to dashes, other punctuation gone."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_links_in_the_guides_lead_somewhere():
    for guide in GUIDES:
        for target in re.findall(r"\]\(([^)]+)\)", read(guide)):
            name, _, part = target.partition("#")
            page = f"docs/{name}" if name else guide
            anchors = {anchor(heading) for heading in re.findall(r"^#+ (.+)$", read(page), re.M)}
            assert not part or part in anchors, (guide, target, sorted(anchors))


def test_the_policy_in_the_guide_is_one():
    block = next(b for b in re.findall(r"```\n(.*?)```", read("docs/help-desk.md"), re.S) if "may-approve" in b)
    with tempfile.NamedTemporaryFile("w", suffix=".policy", encoding="utf-8") as f:
        f.write("policy test\nversion 1\nvalid-until 2099-03-31\n" + block + "default block\n")
        f.flush()
        done = subprocess.run([str(CTL), "check-policy", f.name], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done
