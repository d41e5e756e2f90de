"""Check digits that python-stdnum does not know, each from the issuer's description.

Numbers come without their separators.
"""

import hashlib
from collections.abc import Iterable
from random import Random
from typing import Final

from stdnum import luhn

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VIN_VALUES: Final = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", "012345678912345678123457923456789", strict=True)
)
_VIN_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _weighted(digits: Iterable[str], weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _cross_sums(digits: Iterable[str], weights: Iterable[int]) -> int:
    """Return the sum of the digit sums of weighted digits."""
    products = (int(d) * weight for d, weight in zip(digits, weights, strict=True))
    return sum(product // 10 + product % 10 for product in products)


def _letter(letter: str) -> str:
    """Return the two digits that stand for a letter in German insurance numbers."""
    return f"{ord(letter) - ord('A') + 1:02}"


def is_au_medicare(number: str) -> bool:
    """Return whether the ninth digit checks the first eight (Services Australia)."""
    return int(number[8]) == _weighted(number[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10


def is_de_health_insurance(number: str) -> bool:
    """Return whether a Krankenversichertennummer fits (§ 290 SGB V, annex 1)."""
    digits = _letter(number[0]) + number[1:9]
    return int(number[9]) == _cross_sums(digits, (1, 2) * 5) % 10


def is_de_social_security(number: str) -> bool:
    """Return whether a Versicherungsnummer fits (VKVV § 2)."""
    digits = number[:8] + _letter(number[8]) + number[9:11]
    return int(number[11]) == _cross_sums(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10


def is_de_id_card(number: str) -> bool:
    """Return whether the last digit of a document number fits (ICAO 9303-3, 4.9)."""
    values = [int(sign, 36) for sign in number[:-1]]
    total = sum(value * weight for value, weight in zip(values, (7, 3, 1) * 3, strict=False))
    return int(number[-1]) == total % 10


def is_dea(number: str) -> bool:
    """Return whether a number of the Drug Enforcement Administration fits (21 CFR 1301)."""
    digits = [int(digit) for digit in number[2:8]]
    return int(number[8]) == (sum(digits[::2]) + 2 * sum(digits[1::2])) % 10


def is_npi(number: str) -> bool:
    """Return whether a National Provider Identifier fits (45 CFR 162.406)."""
    return bool(luhn.is_valid(f"80840{number}"))


def is_ph_tin(number: str) -> bool:
    """Return whether a Philippine taxpayer number fits."""
    return int(number[8]) == _weighted(number[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11


def is_vin(number: str) -> bool:
    """Return whether a vehicle identification number fits (49 CFR 565.15)."""
    total = _weighted((_VIN_VALUES.get(sign, "0") for sign in number), _VIN_WEIGHTS)
    return number[8] == "0123456789X"[total % 11]


def bitcoin_address(draw: Random) -> str:
    """Return an address of a random hash, which nobody has the key of (BIP 13, BIP 173)."""
    hashed = draw.randbytes(20)
    if draw.random() < 0.5:  # noqa: PLR2004  # half of each
        return _base58(bytes([draw.choice((0, 5))]) + hashed)
    bits = int.from_bytes(hashed)
    return _bech32([0, *((bits >> shift) & 31 for shift in range(155, -1, -5))])


def _base58(payload: bytes) -> str:
    """Return Base58Check."""
    whole = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, signs = int.from_bytes(whole), ""
    while number:
        number, rest = divmod(number, 58)
        signs = _BASE58[rest] + signs
    return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + signs


def _bech32(values: list[int]) -> str:
    """Return Bech32 of a witness program on the main network."""
    prefix = [3, 3, 0, 2, 3]  # `bc`, expanded
    check = _polymod([*prefix, *values, *[0] * 6]) ^ 1
    checked = [*values, *((check >> shift) & 31 for shift in range(25, -1, -5))]
    return "bc1" + "".join(_BECH32[value] for value in checked)


def _polymod(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(
            (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
        ):
            state ^= generator if (top >> bit) & 1 else 0
    return state
