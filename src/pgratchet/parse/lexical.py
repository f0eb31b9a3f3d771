"""PostgreSQL's lexical rules as patterns over bytes: what a quote, a comment, a word, a space is.

Bytes, since the rules are the server's own (every byte from 0x80 on may stand in a name), since offsets in a
file are bytes, and since the possessive patterns then swallow whole stretches of a file in C.
"""

from __future__ import annotations

# A group is repeated in an atomic group, and never possessively: up to Python 3.11.4 the engine then loses its
# place. A class of characters may be.

SPACE = rb" \t\n\r\f\v"
NAME_START = rb"A-Za-z_\x80-\xff"
NAME = rb"A-Za-z0-9_$\x80-\xff"
TAG = rb"\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*+)?\$"

LINE_COMMENT = rb"--[^\n\r]*+"


def nested_comment(levels: int) -> bytes:
    """A block comment with so many levels of comments in it; deeper ones take a loop."""
    inner = rb"" if levels == 0 else rb"|" + nested_comment(levels - 1)
    return rb"/\*(?>(?:[^*/]++|\*(?!/)|/(?!\*)" + inner + rb")*)\*/"


BLOCK_COMMENT = nested_comment(2)
COMMENT = rb"(?:" + LINE_COMMENT + rb"|" + BLOCK_COMMENT + rb")"
TRIVIA = rb"(?:[" + SPACE + rb"]++|" + COMMENT + rb")"
ANY_TRIVIA = rb"(?>" + TRIVIA + rb"*)"
SOME_TRIVIA = rb"(?>" + TRIVIA + rb"+)"

_ESCAPED = rb"(?>(?:[^'\\]++|\\.|'')*)'"
# A string goes on behind a line end: E'a' <newline> 'b\'c' is one string, with escapes to its end.
_GOES_ON = rb"(?>(?:[ \t\f\v]++|--[^\n\r]*+)*)[\n\r](?>(?:[" + SPACE + rb"]++|--[^\n\r]*+[\n\r])*)'"
# A prefix is looked for backwards, from the quote, so that runs of plain text need not stop at each letter.
# Two quotes in a plain string are two strings side by side, which ends at the same place.
PLAIN_STRING = rb"'(?<![eE]')[^']*+'"
NAME_THEN_STRING = rb"'(?<=[" + NAME + rb"][eE]')[^']*+'"
_ESCAPE_PREFIX = rb"(?<=[eE]')(?<![" + NAME + rb"][eE]')"
ESCAPE_STRING = (
    rb"'" + _ESCAPE_PREFIX + _ESCAPED + rb"(?>(?:" + _GOES_ON + _ESCAPED + rb")*)(?!" + _GOES_ON + rb")"
)
QUOTED_NAME = rb'"[^"]*+"'
# A dollar sign inside a name, and one that opens nothing ($1).
DOLLAR_IN_NAME = rb"\$(?<=[" + NAME + rb"]\$)"
DOLLAR_ALONE = rb"\$(?![" + NAME_START + rb"$])"
UNTAGGED = rb"\$\$(?<![" + NAME + rb"]\$\$)(?>(?:[^$]++|\$(?!\$))*)\$\$"
OPERATOR = rb"-(?!-)|/(?!\*)"

_PIECES = rb"|".join(
    (
        PLAIN_STRING,
        OPERATOR,
        UNTAGGED,
        DOLLAR_IN_NAME,
        DOLLAR_ALONE,
        QUOTED_NAME,
        ESCAPE_STRING,
        NAME_THEN_STRING,
    )
)


def _with_strings(text: bytes) -> bytes:
    """Plain text and the strings in it: the bulk of a file, hence without a choice at every string."""
    return text + rb"++(?>(?:" + PLAIN_STRING + text + rb"*+)*)"


def balanced(levels: int) -> bytes:
    """Parentheses with so many levels of parentheses in them; deeper ones take a loop."""
    inner = rb"" if levels == 0 else rb"|" + balanced(levels - 1)
    text = _with_strings(rb"[^'\"$/\-()\\]")
    return rb"\((?>(?:" + text + rb"|" + _PIECES + rb"|" + COMMENT + inner + rb")*)\)"


PARENTHESES = balanced(3)


def stretch(run: bytes) -> bytes:
    """As much of a statement as can be told at once; it ends with the last byte of a token, or with spaces.

    `run` is what plain text may be made of.
    """
    token = rb"(?:" + run + rb"|" + PARENTHESES + rb"|" + _PIECES + rb")"
    return rb"(?>(?:(?>(?:" + COMMENT + rb"[" + SPACE + rb"]*+)*)" + token + rb")*)"


PLAIN_RUN = _with_strings(rb"[^'\"$/\-;()\\]")
# In the text of a routine BEGIN, CASE and END have to be seen, as its body may be BEGIN ATOMIC … END.
ROUTINE_RUN = (
    rb"[^'\"$/\-;()\\" + NAME_START + rb"]++"
    rb"|(?!(?i:begin|case|end)(?![" + NAME + rb"]))[" + NAME_START + rb"][" + NAME + rb"]*+"
)
# A statement that ends within the text and is neither a routine nor a COPY, with no comment before it.
SIMPLE = (
    rb"[;"
    + SPACE
    + rb"]*+((?![-/]|(?i:copy|create["
    + SPACE
    + rb"]*+(?:or|function|procedure|[-/])))"
    + stretch(PLAIN_RUN)
    + rb");"
)
ROUTINE = (
    rb"(?i)"
    + ANY_TRIVIA
    + rb"create"
    + SOME_TRIVIA
    + rb"(?>(?:or"
    + SOME_TRIVIA
    + rb"replace"
    + SOME_TRIVIA
    + rb")?)"
    rb"(?:function|procedure)(?![" + NAME + rb"])"
)
ATOMIC = rb"(?i)begin" + SOME_TRIVIA + rb"atomic(?![" + NAME + rb"])"
COPY_FROM_STDIN = (
    rb"(?is)" + ANY_TRIVIA + rb"copy(?![" + NAME + rb"])"
    rb"(?:" + TRIVIA + rb"|" + PARENTHESES + rb"|" + QUOTED_NAME + rb"|[." + NAME + rb"]++)*?"
    rb"(?<![" + NAME + rb"])from" + SOME_TRIVIA + rb"std(?:in|out)(?![" + NAME + rb"])"
)
