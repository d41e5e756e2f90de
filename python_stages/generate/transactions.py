"""Good rows of a transactions file: who paid, when, where, how much, and whether it was fraud.

Everyone in them is fictional, and so is every number: `accounts.py` says it of the cards; the IP
addresses lie in 240.0.0.0/4, which is reserved and routed nowhere (RFC 1112, section 4).

What hangs together in a real file hangs together here. Honest customers pay mostly from their own
country and device; fraud comes at night, from other countries and devices and at terminals, with
amounts that are either tiny or large.
"""

import datetime as dt
import math
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from python_stages.generate import tables
from python_stages.generate.accounts import Accounts
from python_stages.generate.draws import (
    MILLION,
    Draws,
    Ints,
    exponential_quantiles,
    lognormal_quantiles,
    slots,
    texts,
)

# A moment is a place on a clock that runs fast in busy hours: 1,000 slots a day, as many of them in
# an hour as it has per mille of the day's payments. Every tick is at least one microsecond long, so
# two moments are never the same microsecond, and two rows never the same row.
_FIRST_DAY, _N_DAYS, _HOURS, _SATURDAY = dt.date(2024, 10, 1), 31, 24, 5
_TICKS_PER_SLOT = 36_000_000
_MICROSECONDS_PER_TICK = 100  # in an hour of one slot; in an hour of w slots it is 100 / w
_SLOTS_PER_DAY = sum(tables.HOUR_WEIGHTS)
N_MOMENTS = _N_DAYS * _SLOTS_PER_DAY * _TICKS_PER_SLOT

_TINY_FRAUD_PER_MILLE, _TINY_FRAUD_CENT_PERCENT = 290, 12_500
_LARGE_FRAUD_FACTOR = 3
_AWAY_PER_MILLE, _SECOND_DEVICE_PER_MILLE = 178, 125
_BILLIONTHS = 10**9
_MEAN_PAYMENT = 32_000  # over all currencies, as the velocity column adds them up


def moments(draws: Draws, first: int, last: int, n_rows: int) -> Ints:
    """Return the moments of rows first to last - 1 of a file of n_rows rows, strictly rising.

    Every row has a share of the month to itself and falls somewhere in it, so a block needs to know
    nothing of the others.
    """
    start, end = (row * N_MOMENTS // n_rows for row in (first, last))
    length, size = end - start, last - first
    jitter = draws.below(length - size + 1, size)
    return start + (np.arange(size, dtype=np.int64) * length + jitter) // size


def text(draws: Draws, people: Accounts, at: Ints) -> bytes:
    """Return one CSV line, with its line feed, for each moment of `at`."""
    size = len(at)
    hour_of_month, microseconds = _clock(at)
    fraud = draws.below(10_000, size) < _FRAUD_BY_HOUR[hour_of_month % _HOURS]
    card = draws.below(len(people.homes), size)
    home = people.homes[card]
    country = _countries(draws, home, fraud)
    city = np.where(country == 0, draws.below(len(tables.US_CITIES), size), 0)
    merchant = draws.among(_MERCHANT_SLOTS, size)
    cents = _cents(draws, _MEDIAN_CENTS[country] * _PRICE_PERCENT[merchant], fraud)
    device = np.where(
        fraud,
        draws.among(_FRAUD_DEVICES, size),
        draws.below(len(tables.REMOTE_DEVICES), size),
    )
    fingerprint = 2 * card + (draws.below(1_000, size) < _SECOND_DEVICE_PER_MILLE)
    fresh = len(people.devices) + np.arange(size)
    pieces = [
        _ID_STARTS.take(draws.below(len(_ID_STARTS), size)),
        _ID_ENDS.take(draws.below(len(_ID_ENDS), size)),
        people.owners.take(card),
        *_timestamps(hour_of_month, microseconds),
        _MERCHANTS.take(merchant),
        *(_whole(cents // 100), _CENTS.take(cents % 100)),
        _PLACES.take(country * len(tables.US_CITIES) + city),
        people.card_types.take(card),
        _DEVICES.take(device),
        pa.concat_arrays([people.devices, draws.hexadecimal(32, size)]).take(
            np.where(fraud, fresh, fingerprint)
        ),
        _IP_STARTS.take(draws.below(len(_IP_STARTS), size)),
        _IP_ENDS.take(draws.below(len(_IP_ENDS), size)),
        _RISKS.take(2 * merchant + (country != home)),
        _HOUR_ENDS.take(hour_of_month),
        *_velocities(draws, cents),
        _FRAUD_ENDS.take(fraud.astype(np.int64)),
        _NOTHING.take(np.zeros(size, dtype=np.int64)),  # the separator
    ]
    return _bytes(pc.binary_join_element_wise(*pieces))


def _bytes(joined: pa.StringArray) -> bytes:
    """Return the texts of a fresh array, which lie one behind the other in its last buffer."""
    data = joined.buffers()[2]
    length = pc.sum(pc.binary_length(joined)).as_py()
    return data.slice(0, length).to_pybytes() if data else b""


def _whole(numbers: Ints) -> pa.StringArray:
    return cast("pa.StringArray", pa.array(numbers).cast(pa.string()))


def _timestamps(hour_of_month: Ints, microseconds: Ints) -> tuple[pa.StringArray, ...]:
    """Return the pieces of the timestamps; a whole second is written without a fraction."""
    second, fraction = microseconds // MILLION, microseconds % MILLION
    return (
        _HOUR_STARTS.take(hour_of_month),
        _SECONDS.take(second),
        _MILLISECONDS.take(np.where(fraction == 0, 1000, fraction // 1000)),
        _MICROSECONDS.take(np.where(fraction == 0, 1000, fraction % 1000)),
    )


def _clock(at: Ints) -> tuple[Ints, Ints]:
    """Return the hour of the month, and the microseconds in it, of each moment."""
    slot = at // _TICKS_PER_SLOT % _SLOTS_PER_DAY
    day = at // (_TICKS_PER_SLOT * _SLOTS_PER_DAY)
    hour = _HOUR_OF_SLOT[slot]
    ticks = (slot - _FIRST_SLOT[hour]) * _TICKS_PER_SLOT + at % _TICKS_PER_SLOT
    return day * _HOURS + hour, ticks * _MICROSECONDS_PER_TICK // _HOUR_WEIGHTS[hour]


def _countries(draws: Draws, home: Ints, fraud: np.ndarray) -> Ints:
    """Return where each payment is made: mostly at home, if it is honest."""
    size, n_countries = len(home), len(tables.COUNTRIES)
    away = draws.below(1_000, size) < _AWAY_PER_MILLE
    elsewhere = (home + 1 + draws.below(n_countries - 1, size)) % n_countries
    return np.where(fraud, draws.among(_FRAUD_COUNTRIES, size), np.where(away, elsewhere, home))


def _cents(draws: Draws, cent_percent: Ints, fraud: np.ndarray) -> Ints:
    """Return amounts, lognormal around a typical one that is given in hundredths of a cent."""
    size = len(cent_percent)
    typical = cent_percent // 100
    tiny = draws.below(1_000, size) < _TINY_FRAUD_PER_MILLE
    honest = typical * draws.from_quantiles(_HONEST_SPREAD, size) // MILLION
    large = typical * _LARGE_FRAUD_FACTOR * draws.from_quantiles(_FRAUD_SPREAD, size) // MILLION
    small = typical * draws.below(_TINY_FRAUD_CENT_PERCENT, size) // MILLION
    return np.maximum(np.where(fraud, np.where(tiny, small, large), honest), 1)


def _velocities(draws: Draws, cents: Ints) -> tuple[pa.StringArray, ...]:
    """Return what the hour before each payment held, as pieces of a quoted Python dict."""
    size = len(cents)
    count = draws.from_quantiles(_COUNTS, size)
    mean = draws.from_quantiles(_MEAN_SPREAD, size) * (_BILLIONTHS // MILLION) * _MEAN_PAYMENT
    total = np.where(
        count == 0,
        cents * (_BILLIONTHS // 100),  # the payment itself
        count * mean + draws.below(_BILLIONTHS, size),
    )
    # the largest payment's share of the total, in 65,536ths, falls with the root of their number
    share = (17_000_000 + draws.below(51_000_000, size)) // _ROOTS[count]
    share = np.clip(share, 65_536 // np.maximum(count, 1) + 1, 65_536)
    largest = np.where(count < 2, total, (total >> 16) * share)  # noqa: PLR2004  one is its own largest
    total, largest = total | 1, largest | 1  # a last digit of zero would not be printed by Python
    merchants = _seen(draws, _DISTINCT_MERCHANTS, count, len(_MERCHANTS))
    countries = _seen(draws, _DISTINCT_COUNTRIES, count, len(tables.COUNTRIES))
    return (
        *(_VELOCITY_COUNTS.take(count), *_decimals(total)),
        *(_VELOCITY_MERCHANTS.take(merchants), _VELOCITY_COUNTRIES.take(countries)),
        *_decimals(largest),
    )


def _decimals(billionths: Ints) -> tuple[pa.StringArray, ...]:
    """Return the pieces of decimal numbers: the whole part, then nine decimals by threes."""
    thousands, thousandths = billionths // MILLION, billionths % MILLION
    return (
        _whole(thousands // 1000),
        _MILLISECONDS.take(thousands % 1000),
        *(_THREE.take(thousandths // 1000), _THREE.take(thousandths % 1000)),
    )


def _seen(draws: Draws, expected: Ints, count: Ints, n_kinds: int) -> Ints:
    """Return how many different ones of n_kinds were seen in `count` payments, give or take one."""
    noisy = expected[count] + draws.below(3, len(count)) - 1
    return noisy.clip(np.minimum(count, 1), np.minimum(count, n_kinds))


def _expected_distinct(n_kinds: int, largest_count: int) -> Ints:
    """Return, for each number of payments, how many different ones of n_kinds they should hold."""
    expected = [0.0]
    for _ in range(largest_count):
        expected.append(expected[-1] + (n_kinds - expected[-1]) / n_kinds)
    return np.array([round(value) for value in expected], dtype=np.int64)


# Lookup tables, built once a process, with the commas that belong to their texts: taking texts from
# tables and joining them is many times faster than formatting. A merchant's slots are its share of
# 10,080, which the numbers of types and of merchants all divide.
_CATALOG = [
    (category, f"{category},{kind},{merchant},", 10_080 // (len(kinds) * len(merchants)))
    for category, kinds in tables.MERCHANTS.items()
    for kind, merchants in kinds.items()
    for merchant in merchants
]
_MERCHANTS = texts([text for _, text, _ in _CATALOG])
_MERCHANT_SLOTS = slots([share for _, _, share in _CATALOG])
_RISKS = texts(
    f"{away},{category in tables.HIGH_RISK_CATEGORIES},"
    for category, _, _ in _CATALOG
    for away in (0, 1)
)
_PRICE_PERCENT = np.array([tables.PRICE_PERCENT[category] for category, _, _ in _CATALOG])

_MEDIAN_CENTS = np.array([100 * median for _, _, median in tables.COUNTRIES.values()])
_FRAUD_COUNTRIES = slots([share for _, share, _ in tables.COUNTRIES.values()])
_PLACES = texts(
    f"{currency},USA,{city},{size},"
    if country == "USA"
    else f"{currency},{country},Unknown City,medium,"
    for country, (currency, _, _) in tables.COUNTRIES.items()
    for city, size in tables.US_CITIES.items()
)
_DEVICES = texts(f"{','.join(way)}," for way in tables.REMOTE_DEVICES + tables.TERMINAL_DEVICES)
_FRAUD_DEVICES = slots([9] * len(tables.REMOTE_DEVICES) + [16] * len(tables.TERMINAL_DEVICES))

_ID_STARTS = texts(f"TX_{number:04x}" for number in range(1 << 16))
_ID_ENDS = texts(f"{number:04x}," for number in range(1 << 16))
_IP_STARTS = texts(f",{a}.{b}." for a in range(240, 255) for b in range(256))
_IP_ENDS = texts(f"{c}.{d}," for c in range(256) for d in range(256))
_THREE = texts(f"{number:03d}" for number in range(1000))
_CENTS = texts(f"{str(cents / 100)[1:]}," for cents in range(100))  # .0, .01, ... .1, ... .99

_HOUR_WEIGHTS: Ints = np.array(tables.HOUR_WEIGHTS, dtype=np.int64)
_HOUR_OF_SLOT = slots(tables.HOUR_WEIGHTS)
_FIRST_SLOT = np.cumsum(_HOUR_WEIGHTS) - _HOUR_WEIGHTS
_FRAUD_BY_HOUR = np.array(tables.FRAUD_BY_HOUR)
_DAYS = [_FIRST_DAY + dt.timedelta(days=day) for day in range(_N_DAYS)]
_HOUR_STARTS = texts(f"{day} {hour:02d}:" for day in _DAYS for hour in range(_HOURS))
_HOUR_ENDS = texts(
    f"{hour},{day.weekday() >= _SATURDAY}," for day in _DAYS for hour in range(_HOURS)
)
_SECONDS = texts(f"{minute:02d}:{second:02d}" for minute in range(60) for second in range(60))
_MILLISECONDS = texts([*(f".{number:03d}" for number in range(1000)), ""])
_MICROSECONDS = texts([*(f"{number:03d}+00:00," for number in range(1000)), "+00:00,"])

_HONEST_SPREAD = lognormal_quantiles(0.70)
_FRAUD_SPREAD = lognormal_quantiles(0.75)
_MEAN_SPREAD = lognormal_quantiles(0.57)
_COUNTS = exponential_quantiles(400)
_LARGEST_COUNT = int(_COUNTS[-1])
_ROOTS = np.array([max(math.isqrt(count << 16), 1) for count in range(_LARGEST_COUNT + 1)])
_DISTINCT_MERCHANTS = _expected_distinct(len(_MERCHANTS), _LARGEST_COUNT)
_DISTINCT_COUNTRIES = _expected_distinct(len(tables.COUNTRIES), _LARGEST_COUNT)
_VELOCITY_COUNTS = texts(
    f"\"{{'num_transactions': {count}, 'total_amount': " for count in range(_LARGEST_COUNT + 1)
)
_VELOCITY_MERCHANTS = texts(
    f", 'unique_merchants': {count}, 'unique_countries': " for count in range(len(_MERCHANTS) + 1)
)
_VELOCITY_COUNTRIES = texts(
    f"{count}, 'max_single_amount': " for count in range(len(tables.COUNTRIES) + 1)
)
_NOTHING = texts([""])
_FRAUD_ENDS = texts(['}",False\n', '}",True\n'])
