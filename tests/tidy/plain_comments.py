# SPDX-License-Identifier: MIT
# plain_comments.py - makes documentation for Doxygen of the plain comments of a header.
"""A block of `//` right before a declaration documents it, and the overloads of its name that
follow without an empty line, as that of a move constructor does the assignment. One at the end of a
declaration's line documents that, the head of the file the file. Comments within the bodies of
functions are left alone. Every line stays where it is, so that what Doxygen says of a line is true
of the header.
"""
import re

COMMENT = re.compile(r"^(\s*)//(?!/)(.*)$")
NO_DOCUMENTATION = re.compile(r"^ ?(---|NOLINT|SPDX|clang-format)")
NO_DECLARATION = re.compile(r"^\s*(?:#(?!\s*define)|}|(?:public|private|protected):)")
TYPE_SCOPE = re.compile(
    r"^(?:typedef\s+)?(?:inline\s+)?(?:namespace|class|struct|union|enum|extern)\b")
TEMPLATE = re.compile(r"^template\s*<[^{};]*?>\s+(?=\w|\[)")
NAME = re.compile(r"\b(operator[^\w\s(]+|\w+)\s*\(")
CONSTRUCTOR = re.compile(r"^(?:explicit\s+|constexpr\s+)*(\w+)\s*\(")
MOVE_CONSTRUCTOR = re.compile(r"^(\w+)\(\1&& ")
SPECIAL = re.compile(r"([\\@#%<>&$\"]|(?<![\w>])::)")
FOREIGN = re.compile(r"^struct std::")  # Doxygen 1.9.4 does not know namespaces it has not seen.


def split_comment(line):
    """The code of a line, and the text of the comment at its end or None."""
    quote = None
    at = 0
    while at < len(line):
        letter = line[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = None
        elif letter == '"' or letter == "'" and not (at and line[at - 1].isalnum()):
            quote = letter
        elif line.startswith("//", at):
            return line[:at].rstrip(), line[at + 2:]
        at += 1
    return line, None


class Scopes:
    """Where in the code a line is: among declarations, or within a function."""

    def __init__(self):
        self._kinds = []  # Of each open brace: True for a namespace, a type, extern "C".
        self._statement = ""

    def declares(self):
        return all(self._kinds)

    def at_start(self):
        return not self._statement.strip()

    def read(self, code):
        if code.lstrip().startswith("#"):
            return
        code = re.sub(r'"(?:\\.|[^"\\])*"', '""', code)
        for letter in code + " ":
            if letter == "{":
                statement = TEMPLATE.sub("", self._statement.strip())
                self._kinds.append(bool(TYPE_SCOPE.match(statement)))
                self._statement = ""
            elif letter == "}":
                if self._kinds:
                    self._kinds.pop()
                self._statement = ""
            elif letter == ";":
                self._statement = ""
            else:
                self._statement += letter
        if re.match(r"^\s*(?:public|private|protected):\s*$", self._statement):
            self._statement = ""


def escaped(text):
    """Text in which only `code` has a meaning for Doxygen."""
    pieces = text.split("`")
    return "`".join(piece if number % 2 else SPECIAL.sub(r"\\\1", piece)
                    for number, piece in enumerate(pieces))


def documentation(texts):
    """Lines of a comment as Doxygen wants them: what is set in from the left is set as it is."""
    made = []
    for number, text in enumerate(texts):
        body = text[1:] if text.startswith(" ") else text
        following = texts[number + 1] if number + 1 < len(texts) else ""
        is_table = body.startswith("  ") or \
            re.match(r"^\w+: ", body) and following.startswith("    ")
        made.append((bool(is_table), body))
    lines = []
    inside = False
    for number, (is_table, body) in enumerate(made):
        before = "\\verbatim " if is_table and not inside else ""
        inside = is_table
        ends = is_table and not (number + 1 < len(made) and made[number + 1][0])
        after = " \\endverbatim" if ends else ""
        lines.append(before + (body if is_table else escaped(body)) + after)
    return lines


def shared_name(declaration):
    """What a declaration must be called to have the documentation of the one before it."""
    if MOVE_CONSTRUCTOR.match(declaration):
        return "operator="
    if CONSTRUCTOR.match(declaration):
        return None
    called = NAME.search(declaration)
    return called.group(1) if called else None


class Filter:
    def __init__(self, lines):
        self._lines = lines
        self._scopes = Scopes()
        self._out = []
        self._block = []  # (line, indentation, text) of comments without code since.
        self._head = True
        self._shared = None  # What overloads of `name` are documented by: (name, texts).

    def run(self):
        for number, line in enumerate(self._lines):
            comment = COMMENT.match(line)
            self._out.append(line)
            if comment:
                self._block.append((number, comment.group(1), comment.group(2)))
                self._shared = None
            elif not line.strip():
                self._end_of_block()
                self._shared = None
            else:
                self._code(number, line)
        return self._out

    def _end_of_block(self):
        self._head, self._block = False, []

    def _code(self, number, line):
        if FOREIGN.match(line):
            self._out[number - 1] = self._out[number] = ""  # And its `template <>`.
            return
        if self._head:  # The head of the file, up to its first line of code.
            if len(self._block) > 1:
                self._document(self._block[1:], begun=True)
                self._out[self._block[0][0]] = "/** \\file"  # In the place of the licence.
            self._end_of_block()
        code, trailing = split_comment(line)
        declares = self._scopes.declares()
        starts = self._scopes.at_start()
        is_declaration = declares and not NO_DECLARATION.match(code)
        if is_declaration and starts:
            self._documented_by_block(number, code)
        self._block = []
        if is_declaration and trailing is not None and not NO_DOCUMENTATION.match(trailing):
            if code.endswith("{"):
                self._out[number] = f"/** {escaped(trailing.strip())} */ {code}"
            else:
                self._out[number] = f"{code}  ///< {escaped(trailing.strip())}"
        self._scopes.read(code)

    def _documented_by_block(self, number, code):
        block = [line for line in self._block if not NO_DOCUMENTATION.match(line[2])]
        name = shared_name(TEMPLATE.sub("", code.strip()))
        if block:
            self._document(block)
            self._shared = (name, block) if name else None
        elif self._shared and name == self._shared[0]:
            texts = documentation([text for _, _, text in self._shared[1]])
            if not any("verbatim" in text for text in texts):
                self._out[number] = f"/** {' '.join(texts)} */ {self._out[number].lstrip()}"

    def _document(self, block, begun=False):
        texts = documentation([text for _, _, text in block])
        texts = [text.replace("*/", "* /") for text in texts]
        if not begun:
            texts[0] = f"/** {texts[0]}"
        texts[-1] += " */"
        for (number, _, _), text in zip(block, texts):
            self._out[number] = text.rstrip()


def filtered(text):
    return "\n".join(Filter(text.split("\n")).run())
