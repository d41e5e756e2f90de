"""Support tickets, in the 17 columns of a public set of them.

As in the real file, texts run over several lines, hold `{product_purchased}` where nobody filled it
in, and are short of an answer where a ticket is open. Otherwise than there, people name themselves
in what they write, and agents name them in what they answer: that is what has to be scrubbed.
"""

from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from python_stages.generate.files import Table
from python_stages.generate.people import Person, person

_HEADER: Final = (
    "Ticket ID",
    "Customer Name",
    "Customer Email",
    "Customer Age",
    "Customer Gender",
    "Product Purchased",
    "Date of Purchase",
    "Ticket Type",
    "Ticket Subject",
    "Ticket Description",
    "Ticket Status",
    "Resolution",
    "Ticket Priority",
    "Ticket Channel",
    "First Response Time",
    "Time to Resolution",
    "Customer Satisfaction Rating",
)
_PRODUCTS: Final = (
    *("Lumen Lamp", "Aero Kettle", "Tango Phone", "Nimbus Tablet", "Echo Speaker", "Orbit Camera"),
    *("Pixel Frame", "Vault Drive", "Dash Scooter", "Quiet Headset", "Brisk Printer", "Nova TV"),
)
# type -> subject -> what is wrong, what was done
_CASES: Final = {
    "Technical issue": {
        "Network problem": (
            "The {product_purchased} loses its connection every few minutes.",
            "the wireless channel was changed and the connection holds",
        ),
        "Battery life": (
            "The battery of my {product_purchased} is empty after an hour.",
            "the battery was replaced under warranty",
        ),
        "Software bug": (
            'Since the update my {product_purchased} only says "please wait".',
            "the update was rolled back and a fix is on its way",
        ),
    },
    "Billing inquiry": {
        "Payment issue": (
            "I was charged twice for the {product_purchased}.",
            "the second charge was paid back",
        ),
        "Account access": (
            "I cannot open my account, so I cannot see the invoice for the {product_purchased}.",
            "access was given back after a check",
        ),
    },
    "Refund request": {
        "Refund request": (
            "The {product_purchased} arrived broken, and I would like my money back.",
            "the price was refunded in full",
        ),
        "Delivery problem": (
            "The {product_purchased} went to a neighbour who knows nothing of it.",
            "the parcel was found and delivered",
        ),
    },
    "Cancellation request": {
        "Cancellation request": (
            "Please cancel my order of the {product_purchased}; I found it cheaper.",
            "the order was cancelled before it was sent",
        ),
    },
    "Product inquiry": {
        "Product compatibility": (
            "Does the {product_purchased} work with a charger of another brand?",
            "it works with any charger of the same voltage",
        ),
        "Product setup": (
            "I do not find where to begin with the {product_purchased}.",
            "the first steps were explained on the phone",
        ),
    },
}
_TRIED: Final = (
    "I have switched it off and on again, twice.",
    "I read the manual, front to back, and tried all of it.",
    "It worked until yesterday.",
    "Nobody answered my first message.",
    "My colleague has the same one, and no trouble.",
    "This is urgent, please help!",
)


def _row(draw: Random, number: int) -> tuple[str, ...]:
    who = person(draw)
    kind = draw.choice(tuple(_CASES))
    subject = draw.choice(tuple(_CASES[kind]))
    wrong, done = _CASES[kind][subject]
    bought = date(2023, 1, 1) + timedelta(days=draw.randrange(700))
    answered = datetime(2025, 1, 1) + timedelta(minutes=draw.randrange(500_000))  # noqa: DTZ001 - the file names no zone
    status = draw.choice(("Open", "Pending Customer Response", "Closed", "Closed"))
    is_closed = status == "Closed"
    return (
        str(number + 1),
        who.name,
        who.email,
        str(draw.randrange(18, 71)),
        draw.choice(("Male", "Female", "Other")),
        draw.choice(_PRODUCTS),
        bought.isoformat(),
        kind,
        subject,
        _description(draw, who, wrong),
        status,
        _resolution(draw, who, done) if is_closed else "",
        draw.choice(("Low", "Medium", "High", "Critical")),
        draw.choice(("Email", "Phone", "Chat", "Social media")),
        "" if status == "Open" else f"{answered:%Y-%m-%d %H:%M:%S}",
        f"{answered + timedelta(hours=draw.randrange(1, 72)):%Y-%m-%d %H:%M:%S}"
        if is_closed
        else "",
        f"{draw.randrange(1, 6)}.0" if is_closed else "",
    )


def _description(draw: Random, who: Person, wrong: str) -> str:
    parts = [wrong, *draw.sample(_TRIED, draw.randrange(1, 4))]
    match draw.randrange(6):
        case 0:
            parts.insert(0, f"Hello, my name is {who.name}.")
        case 1:
            parts.append(f"You can write to {who.email} or call {who.phone}.")
        case 2:
            parts.append(f"Regards,\n{who.name}\n{who.phone}")
        case 3:
            parts.insert(0, f"{who.first} here, again.")
        case 4:
            parts.append(f"My account is under {who.email.upper()}.")
        case _:
            pass
    return draw.choice(("\n\n", " ", "\n")).join(parts)


def _resolution(draw: Random, who: Person, done: str) -> str:
    return draw.choice(
        (
            f"{done[0].upper()}{done[1:]}.",
            f"Told {who.name} that {done}.",
            f"Mailed {who.email}: {done}.",
            f"Called {who.first} at {who.phone}; {done}.",
        )
    )


TICKETS: Final = Table("tickets", _HEADER, _row)
