"""What the checks of this folder know of C: enough for a tree that
clang-format has laid out, where a function's braces stand in column 0."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.realpath(os.environ.get("LINT_ROOT")
                        or os.path.join(HERE, "..", ".."))

LEXEME = re.compile(r"""(?P<comment>//[^\n]*|/\*.*?\*/)
                       |(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""",
                    re.DOTALL | re.VERBOSE)
TEST = re.compile(r"^(?:START_TEST|END_TEST)\b")
CONTROL = ("if", "for", "while", "switch")

found = 0


def complain(path, line, message):
    global found
    found += 1
    print("%s:%d: %s" % (path, line, message))


def finish():
    sys.exit(1 if found else 0)


def files(*suffixes):
    """Paths relative to the root: the arguments given, or the whole tree."""
    if sys.argv[1:]:
        return [path for path in sys.argv[1:]
                if not suffixes or path.endswith(suffixes)]
    listing = subprocess.run([os.path.join(HERE, "files"), *suffixes],
                             check=True, stdout=subprocess.PIPE, text=True)
    return listing.stdout.splitlines()


def read(path):
    with open(os.path.join(ROOT, path), "rb") as handle:
        return handle.read().decode("utf-8", "replace")


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_of(text, keep_strings=False):
    """The text with comments, and the insides of strings, blanked; every
    character stays where it was."""
    def replace(match):
        if match.group("comment"):
            return _blank(match.group())
        if keep_strings:
            return match.group()
        whole = match.group()
        return whole[0] + _blank(whole[1:-1]) + whole[-1]
    return LEXEME.sub(replace, text)


def comment_lines(text):
    lines = set()
    for match in LEXEME.finditer(text):
        if match.group("comment"):
            first = text.count("\n", 0, match.start())
            lines.update(range(first, first + match.group().count("\n") + 1))
    return len(lines)


class Function:
    def __init__(self, name, head, start, end, body):
        self.name, self.head = name, head
        self.start, self.end = start, end    # line numbers, from 1
        self.body = body

    @property
    def lines(self):
        return self.end - self.start + 1

    @property
    def parameters(self):
        match = re.search(r"\b%s\s*\(" % self.name, self.head)
        if not match:
            return 0
        inside = self.head[match.end():]
        depth, count = 1, 1
        for at, char in enumerate(inside):
            depth += {"(": 1, ")": -1}.get(char, 0)
            if depth == 0:
                inside = inside[:at]
                break
            count += char == "," and depth == 1
        return 0 if inside.strip() in ("", "void") else count

    @property
    def nesting(self):
        tokens = re.findall(r"\w+|[^\s\w]", _no_directives(self.body))
        return Nesting(tokens).deepest


def _no_directives(body):
    return "\n".join("" if line.lstrip().startswith("#") else line
                     for line in body.splitlines())


def functions(code):
    """The functions of blanked code, as code_of() returns it."""
    lines = code.split("\n")
    at = 0
    while at < len(lines):
        if lines[at].rstrip() != "{":
            at += 1
            continue
        end = at
        while end < len(lines) and not lines[end].startswith("}"):
            end += 1
        start = _head_of(lines, at)
        head = "\n".join(lines[start:at])
        name = _name_of(head)
        if name:
            while not re.search(r"\b%s\b" % name, lines[start]):
                start += 1
            yield Function(name, head, start + 1, end + 1,
                           "\n".join(lines[at + 1:end]))
        at = end + 1


def _head_of(lines, brace):
    start = brace
    while start > 0:
        above = lines[start - 1].rstrip()
        if not above or above[-1] in ";}" or above[0] == "#" \
                or TEST.match(above) and above == "END_TEST":
            break
        start -= 1
    return start


def _name_of(head):
    if TEST.match(head):
        match = re.search(r"\(\s*(\w+)", head)
        return match and match.group(1)
    match = re.search(r"^(\w+)\s*\(", head, re.MULTILINE) \
        or re.search(r"(\w+)\s*\(", head)
    return match and match.group(1)


class Nesting:
    """How deep control statements stand in one another; else if adds none."""

    def __init__(self, tokens):
        self.tokens, self.at, self.deepest = tokens, 0, 0
        while self.at < len(tokens):
            self.statement(0)

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def skip_group(self):
        """Past a parenthesised group that begins here."""
        depth = 0
        while self.at < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return

    def skip_simple(self):
        depth = 0
        while self.at < len(self.tokens):
            token = self.peek()
            if depth == 0 and token == "}":
                return
            depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(token, 0)
            self.at += 1
            if depth == 0 and token == ";":
                return

    def enter(self, depth):
        self.deepest = max(self.deepest, depth)

    def statement(self, depth):
        token = self.peek()
        if token == "{":
            self.block(depth)
        elif token == "}":
            self.at += 1
        elif token in CONTROL or self.is_loop_macro():
            self.control(depth)
        elif token == "do":
            self.at += 1
            self.enter(depth + 1)
            self.statement(depth + 1)
            self.skip_simple()
        elif token in ("case", "default"):
            self.label()
        else:
            self.skip_simple()

    def block(self, depth):
        self.at += 1
        while self.peek() not in ("}", ""):
            self.statement(depth)
        self.at += 1

    def is_loop_macro(self):
        if not re.match(r"[a-z_]\w*$", self.peek()) or self.peek(1) != "(":
            return False
        back = self.at
        self.at += 1
        self.skip_group()
        after, self.at = self.peek(), back
        return after == "{"

    def control(self, depth):
        token = self.peek()
        self.at += 1
        self.skip_group()
        self.enter(depth + 1)
        self.statement(depth + 1)
        if token == "if" and self.peek() == "else":
            self.at += 1
            self.statement(depth if self.peek() == "if" else depth + 1)

    def label(self):
        depth = 0
        while self.at < len(self.tokens):
            token = self.peek()
            depth += {"?": 1}.get(token, 0)
            self.at += 1
            if token == ":" and depth == 0:
                return
            depth -= token == ":"
