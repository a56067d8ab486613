"""Repeatable chance: every random choice of the samples comes from a generator named by facts.

What does not belong here: secrets. Nothing made from these generators is hard to guess.
"""

import binascii
import hashlib
from array import array
from random import Random

# RFC 4648 base32, lower case: the alphabet of the line ids in Cost and Usage Reports.
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE64_TO_BASE32 = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", (_BASE32 * 2).encode()
)
LINE_ID_CHARACTERS = 52


def seeded(*facts: object) -> Random:
    """Return a generator whose numbers depend on the facts alone, on every machine and Python version.

    Args:
        facts: anything with a stable text: a seed, a month, a block number.
    """
    return Random("/".join(str(fact) for fact in facts))  # noqa: S311 sample data, not cryptography


def code(facts: str, length: int, alphabet: str = "ABCDEFGHJKMNPQRSTUVWXYZ23456789") -> str:
    """Return a made-up vendor code, always the same for the same facts.

    Args:
        facts: what the code stands for, for example a usage type.
        length: characters, at most 30.
        alphabet: the characters it may consist of.
    """
    number = int.from_bytes(hashlib.sha256(facts.encode()).digest(), "big")
    characters = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        characters.append(alphabet[index])
    return "".join(characters)


def digits(facts: str, length: int) -> str:
    """Return a made-up number as text; a leading zero is possible, as in real account ids."""
    return code(facts, length, "0123456789")


def guid(facts: str) -> str:
    """Return a made-up GUID in its usual form."""
    text = code(facts, 32, "0123456789abcdef")
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def line_ids(random: Random, count: int) -> bytes:
    """Return `count` line ids of 52 characters one after the other.

    Each carries 260 random bits, so two of them never meet (10 million rows: one chance in 2**212).
    """
    return binascii.b2a_base64(random.randbytes(39 * count), newline=False).translate(_BASE64_TO_BASE32)


def words(random: Random, count: int) -> "array[int]":
    """Return `count` random integers of 64 bits, cut into small choices by their users."""
    numbers: array[int] = array("Q")
    numbers.frombytes(random.randbytes(8 * count))
    return numbers
