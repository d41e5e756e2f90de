"""Fictional customers and their cards.

A card number passes Luhn, as the real file's do, and cannot be anyone's: it is one of the serials
0 to 999,999 behind the opening and the zeros of a published test number (`tables.CARD_PREFIXES`).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from python_stages.generate import tables
from python_stages.generate.draws import Draws, Ints, Stream, slots, texts

N_CUSTOMERS = 4_870
N_CARDS = 5_120  # one each, and a second or third one for a few
_FIRST_CUSTOMER, _CUSTOMER_NUMBERS = 10_000, 90_000
_SERIALS, _STRIDE = 1_000_000, 618_033  # coprime: multiples of the stride hit each serial once


@dataclass(frozen=True, slots=True)
class Accounts:
    """The cards of one seed; entry i of each field belongs to card i.

    Args:
        owners: "customer_id,card_number,".
        card_types: as in `tables.CARD_TYPES`, with a comma behind.
        homes: index of the country the customer lives in, int64.
        devices: fingerprints, two a card: entries 2i and 2i + 1.
    """

    owners: pa.StringArray
    card_types: pa.StringArray
    homes: Ints
    devices: pa.StringArray


@lru_cache(maxsize=1)
def accounts(seed: int) -> Accounts:
    """Make the customers and cards that all blocks of one seed share."""
    draws = Draws(seed, Stream.ACCOUNTS)
    order = np.argsort(draws.below(1 << 62, _CUSTOMER_NUMBERS), kind="stable")
    customers = np.sort(order[:N_CUSTOMERS]) + _FIRST_CUSTOMER
    customer_homes = draws.below(len(tables.COUNTRIES), N_CUSTOMERS)
    second_cards = draws.below(N_CUSTOMERS, N_CARDS - N_CUSTOMERS)
    owner = np.concatenate([np.arange(N_CUSTOMERS), second_cards])
    prefix = draws.among(slots([share for _, share in tables.CARD_PREFIXES]), N_CARDS)
    serial = (np.arange(N_CARDS) * _STRIDE + draws.below(_SERIALS, 1)) % _SERIALS
    numbers = [
        _with_luhn_digit(f"{tables.CARD_PREFIXES[p][0]}{s:06d}")
        for p, s in zip(prefix.tolist(), serial.tolist(), strict=True)
    ]
    return Accounts(
        owners=texts(
            f"CUST_{customer},{number},"
            for customer, number in zip(customers[owner].tolist(), numbers, strict=True)
        ),
        card_types=texts(f"{name}," for name in tables.CARD_TYPES).take(
            draws.below(len(tables.CARD_TYPES), N_CARDS)
        ),
        homes=customer_homes[owner],
        devices=draws.hexadecimal(32, 2 * N_CARDS),
    )


def _with_luhn_digit(digits: str) -> str:
    """Return the digits with their check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled // 10 + doubled % 10
    return f"{digits}{-total % 10}"
