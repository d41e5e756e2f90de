"""Claims about generated transactions files, read back with Python's own csv module."""

import ast
import csv
import datetime as dt
import hashlib
import ipaddress
import itertools
import re
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from python_stages.errors import ConfigError
from python_stages.generate import BLOCK_ROWS, GenerationReport, generate_transactions

HEADER = (
    "transaction_id,customer_id,card_number,timestamp,merchant_category,merchant_type,merchant,"
    "amount,currency,country,city,city_size,card_type,card_present,device,channel,"
    "device_fingerprint,ip_address,distance_from_home,high_risk_merchant,transaction_hour,"
    "weekend_transaction,velocity_last_hour,is_fraud"
)
COLUMNS = next(csv.reader([HEADER]))
CATEGORIES = {
    *("Retail", "Grocery", "Restaurant", "Travel"),
    *("Gas", "Entertainment", "Healthcare", "Education"),
}
CURRENCIES = {
    "USA": "USD",
    "UK": "GBP",
    "Canada": "CAD",
    "France": "EUR",
    "Germany": "EUR",
    "Japan": "JPY",
    "Australia": "AUD",
    "Singapore": "SGD",
    "Brazil": "BRL",
    "Mexico": "MXN",
    "Nigeria": "NGN",
    "Russia": "RUB",
}
LARGE_CITIES = {"New York", "Los Angeles", "Chicago", "Houston"}
CHANNELS = {
    "Chip Reader": "pos",
    "Magnetic Stripe": "pos",
    "NFC Payment": "pos",
    "Android App": "mobile",
    "iOS App": "mobile",
}
BOOLEANS = ("True", "False")
N_ROWS = 20_000
DIRTY_RATE = 0.02
# Changes only when the generator is meant to write other files.
DIGEST = "edbb85b438e7f121c44e52fdf9ebf6c22720f8bc1e7d57fceec8c4a448289640"


def good_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def passes_luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_good_cell(column: str, value: str) -> bool:
    """Say whether a cell is of its column's type and form, whatever its range."""
    try:
        match column:
            case "card_number" | "transaction_hour":
                int(value)
            case "timestamp":
                return dt.datetime.fromisoformat(value).tzinfo == dt.UTC
            case "amount":
                float(value)
            case "distance_from_home":
                return value in {"0", "1"}
            case "card_present" | "high_risk_merchant" | "weekend_transaction" | "is_fraud":
                return value in BOOLEANS
            case "velocity_last_hour":
                return value.startswith("{'num_transactions': ") and value.endswith("}")
    except ValueError:
        return False
    return True


def range_reason(column: str, value: str) -> str | None:
    """Return how a good cell misses the values that its column may hold."""
    known = {"merchant_category": CATEGORIES, "currency": set(CURRENCIES.values())}
    if column in known:
        return None if value in known[column] else f"{column}_unknown"
    ranges = {"timestamp": (2000, 2100), "amount": (0.01, 1e8), "transaction_hour": (0, 23)}
    if column not in ranges:
        return None
    low, high = ranges[column]
    number = float(value[:4] if column == "timestamp" else value)
    if number < low:
        return f"{column}_below_min"
    return f"{column}_above_max" if number > high else None


def structural_reason(line: bytes) -> str | None:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return "invalid_encoding"
    if "\0" in text:
        return "nul_byte"
    if "\r" in text:
        return "stray_carriage_return"
    if text.count('"') % 2:
        return "unterminated_quote"
    n_columns = len(next(csv.reader([text], strict=True)))
    if n_columns == len(COLUMNS):
        return None
    return "too_many_columns" if n_columns > len(COLUMNS) else "missing_columns"


def all_reasons(line: bytes, earlier: set[bytes]) -> list[str]:
    """Return everything that is wrong with a line."""
    if structure := structural_reason(line):
        return [structure]
    reasons = []
    for column, value in zip(COLUMNS, next(csv.reader([line.decode()])), strict=True):
        if not value:
            reasons.append(f"{column}_missing")
        elif not is_good_cell(column, value):
            reasons.append(f"{column}_invalid")
        elif reason := range_reason(column, value):
            reasons.append(reason)
    if line in earlier:
        reasons.append("repeated_row")
    return reasons


def found_broken(path: Path) -> list[tuple[int, str]]:
    """Return line number and reason of each broken line; a line with two reasons shows both."""
    earlier: set[bytes] = set()
    found = []
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    for number, line in enumerate(lines[1:], start=2):
        if line:
            found += [(number, reason) for reason in all_reasons(line, earlier)]
            earlier.add(line)
    return found


def listed_broken(path: Path) -> list[tuple[int, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(int(row["line_number"]), row["reason"]) for row in csv.DictReader(file)]


def digest_of(folder: Path, n_rows: int, n_workers: int, *, seed: int = 5) -> str:
    path, truth = folder / "rows.csv", folder / "truth.csv"
    generate_transactions(
        path, n_rows=n_rows, seed=seed, dirty_rate=0.01, n_workers=n_workers, truth_path=truth
    )
    return hashlib.sha256(path.read_bytes() + truth.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "rows.csv"
    generate_transactions(path, n_rows=N_ROWS, seed=7, n_workers=1)
    return path


@pytest.fixture(scope="module")
def rows(clean: Path) -> list[dict[str, str]]:
    return good_rows(clean)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, GenerationReport]:
    folder = tmp_path_factory.mktemp("dirty")
    path, truth = folder / "rows.csv", folder / "truth.csv"
    report = generate_transactions(
        path, n_rows=N_ROWS, seed=7, dirty_rate=DIRTY_RATE, n_workers=1, truth_path=truth
    )
    return path, truth, report


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    n_rows = 2 * BLOCK_ROWS + 1
    assert len({digest_of(tmp_path, n_rows, n_workers) for n_workers in (1, 2, 3)}) == 1


@pytest.mark.parametrize("n_rows", [BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1])
def test_no_row_is_lost_or_out_of_order_at_a_block_boundary(tmp_path: Path, n_rows: int) -> None:
    path = tmp_path / "rows.csv"
    generate_transactions(path, n_rows=n_rows, seed=3, n_workers=1)
    times = [dt.datetime.fromisoformat(row["timestamp"]) for row in good_rows(path)]
    assert len(times) == n_rows
    assert all(earlier < later for earlier, later in itertools.pairwise(times))


def test_bytes_are_those_of_every_other_machine(tmp_path: Path) -> None:
    assert digest_of(tmp_path, 1_000, 1) == DIGEST


def test_another_seed_gives_another_file(tmp_path: Path) -> None:
    assert digest_of(tmp_path, 100, 1, seed=1) != digest_of(tmp_path, 100, 1, seed=2)


def test_file_is_lf_ended_text_in_which_only_the_velocity_is_quoted(clean: Path) -> None:
    text = clean.read_bytes()
    assert text.startswith(HEADER.encode() + b"\n")
    assert text.endswith(b"\n")
    assert b"\r" not in text
    for line in text.decode("ascii").splitlines()[1:]:
        assert re.fullmatch(r'([^",]+,){22}"\{[^"]+\}",(True|False)', line)


def test_every_cell_of_a_clean_file_is_good(clean: Path) -> None:
    assert found_broken(clean) == []


def test_categories_and_merchants_are_even_and_complete(rows: list[dict[str, str]]) -> None:
    counts = Counter(row["merchant_category"] for row in rows)
    assert set(counts) == CATEGORIES
    assert max(counts.values()) < 1.1 * min(counts.values())
    assert len({row["merchant_type"] for row in rows}) == 17
    assert len({row["merchant"] for row in rows}) == 105


def test_pairs_of_columns_agree(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert row["currency"] == CURRENCIES[row["country"]]
        assert (row["city"] == "Unknown City") == (row["country"] != "USA")
        assert (row["city_size"] == "large") == (row["city"] in LARGE_CITIES)
        assert row["channel"] == CHANNELS.get(row["device"], "web")
        assert (row["card_present"] == "True") == (row["channel"] == "pos")
        risky = row["merchant_category"] in {"Travel", "Entertainment"}
        assert row["high_risk_merchant"] == str(risky)


def test_hour_and_weekend_are_those_of_the_timestamp(rows: list[dict[str, str]]) -> None:
    for row in rows:
        at = dt.datetime.fromisoformat(row["timestamp"])
        assert (at.year, at.month, at.tzinfo) == (2024, 10, dt.UTC)
        assert row["transaction_hour"] == str(at.hour)
        assert row["weekend_transaction"] == str(at.weekday() >= 5)


def test_cards_pass_luhn_behind_the_openings_of_published_test_numbers(
    rows: list[dict[str, str]],
) -> None:
    fictional = re.compile(r"37000000\d{7}|(400000000|550000000|601100000)\d{7}")
    owners: dict[str, set[str]] = {}
    for row in rows:
        assert fictional.fullmatch(row["card_number"])
        assert passes_luhn(row["card_number"])
        owners.setdefault(row["card_number"], set()).add(row["customer_id"])
    assert all(len(customers) == 1 for customers in owners.values())


def test_addresses_are_of_the_reserved_network(rows: list[dict[str, str]]) -> None:
    assert all(ipaddress.IPv4Address(row["ip_address"]).is_reserved for row in rows)


def test_identifiers_have_the_form_of_the_real_ones(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert re.fullmatch(r"TX_[0-9a-f]{8}", row["transaction_id"])
        assert re.fullmatch(r"CUST_\d{5}", row["customer_id"])
        assert re.fullmatch(r"[0-9a-f]{32}", row["device_fingerprint"])
    assert 4_500 < len({row["customer_id"] for row in rows}) <= 4_870


def test_velocity_is_a_python_dict_that_adds_up(rows: list[dict[str, str]]) -> None:
    for row in rows:
        velocity = ast.literal_eval(row["velocity_last_hour"])
        assert list(velocity) == [
            "num_transactions",
            "total_amount",
            "unique_merchants",
            "unique_countries",
            "max_single_amount",
        ]
        count = velocity["num_transactions"]
        assert velocity["unique_merchants"] <= min(count, 105)
        assert velocity["unique_countries"] <= min(count, 12)
        assert 0 < velocity["max_single_amount"] <= velocity["total_amount"]
        assert velocity["total_amount"] <= max(count, 1) * velocity["max_single_amount"] * 1.001


def test_amounts_and_fraud_have_the_shape_of_the_real_file(rows: list[dict[str, str]]) -> None:
    amounts = sorted(float(row["amount"]) for row in rows)
    assert amounts[0] >= 0.01
    assert 1_000 < amounts[len(amounts) // 2] < 1_350
    assert 1_000_000 < amounts[-1] < 1e8
    assert 0.19 < sum(row["is_fraud"] == "True" for row in rows) / len(rows) < 0.21


def test_every_broken_line_is_listed_with_its_only_reason(
    dirty: tuple[Path, Path, GenerationReport],
) -> None:
    path, truth, report = dirty
    listed = listed_broken(truth)
    assert found_broken(path) == listed
    assert len(listed) == round(DIRTY_RATE * N_ROWS)
    assert Counter(reason for _, reason in listed) == report.n_broken
    assert report.n_bytes == path.stat().st_size
    assert len(report.n_broken) == 6 + 24 + 10 + 2 + 2 + 2 + 2


def test_without_its_broken_lines_and_oddities_a_dirty_file_is_the_clean_one(
    clean: Path, dirty: tuple[Path, Path, GenerationReport]
) -> None:
    path, truth, _ = dirty
    broken = {number for number, _ in listed_broken(truth)}
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    kept = [line for number, line in enumerate(lines, start=1) if line and number not in broken]
    originals = clean.read_bytes().splitlines()
    assert len(kept) == len(originals) == N_ROWS + 1
    n_odd = sum(odd != original for odd, original in zip(kept, originals, strict=True))
    assert 0 < n_odd < DIRTY_RATE * N_ROWS


def test_a_dirty_file_holds_each_harmless_oddity(
    dirty: tuple[Path, Path, GenerationReport],
) -> None:
    path, truth, _ = dirty
    broken = {number for number, _ in listed_broken(truth)}
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    kept = [line.decode() for number, line in enumerate(lines, start=1) if number not in broken]
    good = [next(csv.reader([line])) for line in kept if line]
    assert "" in kept
    assert 'Barnes, Noble "&" Co' in {row[6] for row in good}
    assert any(row[6].endswith(", Inc.") for row in good)
    assert any("." not in row[3] for row in good[1:])
    assert max(Counter(row[0] for row in good).values()) > 1


@settings(max_examples=25)
@given(
    n_rows=st.integers(0, 150),
    seed=st.integers(0, 2**64 - 1),
    dirty_rate=st.floats(0, 1),
)
def test_truth_is_whole_at_any_size_seed_and_rate(
    n_rows: int, seed: int, dirty_rate: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, truth = Path(folder, "rows.csv"), Path(folder, "truth.csv")
        report = generate_transactions(
            path,
            n_rows=n_rows,
            seed=seed,
            dirty_rate=dirty_rate,
            n_workers=1,
            truth_path=truth,
        )
        listed = listed_broken(truth)
        assert found_broken(path) == listed
        assert len(listed) == round(dirty_rate * n_rows)
        n_records = sum(1 for line in path.read_bytes().split(b"\n")[1:] if line)
        assert n_records == report.n_rows + len(listed)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_the_smallest_files_are_whole(tmp_path: Path, n_rows: int) -> None:
    path = tmp_path / "rows.csv"
    report = generate_transactions(path, n_rows=n_rows, seed=1)
    assert (report.n_rows, report.n_broken) == (n_rows, {})
    assert len(good_rows(path)) == n_rows


def test_dirt_without_rows_is_none(tmp_path: Path) -> None:
    path, truth = tmp_path / "rows.csv", tmp_path / "truth.csv"
    generate_transactions(path, n_rows=0, seed=1, dirty_rate=1.0, truth_path=truth)
    assert path.read_text() == HEADER + "\n"
    assert truth.read_text() == "line_number,reason\n"


@pytest.mark.parametrize("dirty_rate", [-0.01, 1.01, float("nan")])
def test_a_rate_out_of_range_is_refused(tmp_path: Path, dirty_rate: float) -> None:
    with pytest.raises(ConfigError, match="dirty rate"):
        generate_transactions(tmp_path / "rows.csv", n_rows=1, seed=1, dirty_rate=dirty_rate)


@pytest.mark.parametrize(
    ("n_rows", "seed", "n_workers"), [(-1, 1, 1), (1, -1, 1), (1, 2**64, 1), (1, 1, 0)]
)
def test_numbers_out_of_range_are_refused(
    tmp_path: Path, n_rows: int, seed: int, n_workers: int
) -> None:
    with pytest.raises(ConfigError, match="choose"):
        generate_transactions(tmp_path / "rows.csv", n_rows=n_rows, seed=seed, n_workers=n_workers)


def test_a_missing_folder_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="create it"):
        generate_transactions(tmp_path / "missing" / "rows.csv", n_rows=1, seed=1)


def test_the_bundled_sample_is_what_its_command_makes(tmp_path: Path) -> None:
    bundled = Path(__file__).parents[3] / "sample_data" / "transactions.csv"
    generate_transactions(tmp_path / "rows.csv", n_rows=2_000, seed=2024, n_workers=1)
    assert (tmp_path / "rows.csv").read_bytes() == bundled.read_bytes()
