"""What can stand in the columns of a transactions file: merchants, places, devices, hours.

The names and shares follow a public profile of the real file. All people and numbers are
fictional; `accounts.py` and `transactions.py` say how.
"""

HEADER = (
    "transaction_id",
    "customer_id",
    "card_number",
    "timestamp",
    "merchant_category",
    "merchant_type",
    "merchant",
    "amount",
    "currency",
    "country",
    "city",
    "city_size",
    "card_type",
    "card_present",
    "device",
    "channel",
    "device_fingerprint",
    "ip_address",
    "distance_from_home",
    "high_risk_merchant",
    "transaction_hour",
    "weekend_transaction",
    "velocity_last_hour",
    "is_fraud",
)

# category -> type -> merchants; each category, each type in it and each merchant in it is as likely
# as its siblings
MERCHANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "Retail": {
        "physical": (
            *("Walmart", "Target", "Best Buy", "Home Depot"),
            *("Costco", "IKEA", "Macy's", "Nike Store"),
        ),
        "online": (
            *("Amazon", "eBay", "Etsy", "Wayfair", "Shopify Store", "AliExpress", "Newegg"),
        ),
    },
    "Grocery": {
        "physical": (
            *("Whole Foods", "Kroger", "Safeway", "Trader Joe's", "Aldi", "Publix", "Food Lion"),
        ),
        "online": ("Instacart", "Amazon Fresh", "FreshDirect", "Walmart Grocery"),
    },
    "Restaurant": {
        "fast_food": ("McDonald's", "Burger King", "Wendy's", "KFC", "Taco Bell", "Subway"),
        "casual": ("Applebee's", "Chili's", "Olive Garden", "Red Lobster", "TGI Fridays"),
        "premium": ("Ruth's Chris", "Capital Grille", "Nobu", "Morton's"),
    },
    "Travel": {
        "airlines": (
            *("United Airlines", "American Airlines", "Delta", "Southwest", "JetBlue", "Emirates"),
        ),
        "hotels": ("Marriott", "Hilton", "Hyatt", "Holiday Inn", "Sheraton", "Westin"),
        "booking": ("Expedia", "Booking.com", "Airbnb", "Hotels.com", "Kayak"),
        "transport": ("Uber", "Lyft", "Careem", "Enterprise Rent-A-Car", "Hertz"),
    },
    "Gas": {
        "major": ("Shell", "BP", "Exxon", "Chevron", "Texaco", "Mobil"),
        "local": ("Local Gas Station", "Highway Gas Stop", "Truck Stop"),
    },
    "Entertainment": {
        "streaming": (
            *("Netflix", "Disney+", "Hulu", "HBO Max", "Amazon Prime", "Spotify", "Apple Music"),
        ),
        "gaming": ("Steam", "PlayStation Store", "Xbox Live", "Nintendo eShop", "Epic Games"),
        "events": ("Ticketmaster", "StubHub", "LiveNation", "AMC Theaters", "Regal Cinemas"),
    },
    "Healthcare": {
        "pharmacy": ("CVS Pharmacy", "Walgreens", "Rite Aid", "DuaneReade"),
        "medical": ("Local Hospital", "Medical Center", "Urgent Care", "Lab Corp"),
    },
    "Education": {
        "online": ("Coursera", "Udemy", "edX", "Skillshare", "MasterClass"),
        "supplies": ("Chegg", "Barnes & Noble", "University Bookstore"),
    },
}
HIGH_RISK_CATEGORIES = frozenset({"Travel", "Entertainment"})

# what a purchase costs in a category, in percent of the currency's median
PRICE_PERCENT = {
    "Retail": 123,
    "Grocery": 82,
    "Restaurant": 67,
    "Travel": 160,
    "Gas": 105,
    "Entertainment": 62,
    "Healthcare": 105,
    "Education": 105,
}

# country -> currency, share of fraudulent payments (per mille), median honest amount
COUNTRIES = {
    "USA": ("USD", 25, 410),
    "UK": ("GBP", 25, 315),
    "Canada": ("CAD", 25, 490),
    "France": ("EUR", 25, 360),
    "Germany": ("EUR", 25, 360),
    "Japan": ("JPY", 25, 45_700),
    "Australia": ("AUD", 25, 550),
    "Singapore": ("SGD", 25, 590),
    "Brazil": ("BRL", 200, 2_100),
    "Mexico": ("MXN", 200, 8_260),
    "Nigeria": ("NGN", 200, 172_000),
    "Russia": ("RUB", 200, 33_000),
}

US_CITIES = {
    "New York": "large",
    "Los Angeles": "large",
    "Chicago": "large",
    "Houston": "large",
    "Phoenix": "medium",
    "Philadelphia": "medium",
    "San Antonio": "medium",
    "San Diego": "medium",
    "Dallas": "medium",
    "San Jose": "medium",
}

CARD_TYPES = ("Basic Credit", "Gold Credit", "Platinum Credit", "Basic Debit", "Premium Debit")

# card_present, device, channel; in the profile every payment at a terminal is fraudulent
REMOTE_DEVICES = (
    ("False", "Chrome", "web"),
    ("False", "Edge", "web"),
    ("False", "Firefox", "web"),
    ("False", "Safari", "web"),
    ("False", "Android App", "mobile"),
    ("False", "iOS App", "mobile"),
)
TERMINAL_DEVICES = (
    ("True", "Chip Reader", "pos"),
    ("True", "Magnetic Stripe", "pos"),
    ("True", "NFC Payment", "pos"),
)

# share of a day's payments that falls in each hour, per mille
HOUR_WEIGHTS = (
    *(23, 39, 35, 35, 37, 28, 25, 41, 53, 46, 42, 45),
    *(55, 47, 39, 39, 44, 58, 60, 59, 41, 27, 43, 39),
)
# share of an hour's payments that is fraudulent, per ten thousand: 19.97 % over the day
FRAUD_BY_HOUR = (1_313, *(6_000,) * 4, *(1_313,) * 19)

# The digits that open each brand's numbers, zeros included, and the share per ten thousand. They
# open published test numbers too (3700 000000 00002, 4000 0000 0000 0002, 5500 0000 0000 0004,
# 6011 0000 0000 0004), which work in the sandboxes of payment processors only.
CARD_PREFIXES = (
    ("37000000", 2_450),
    ("400000000", 2_520),
    ("550000000", 2_520),
    ("601100000", 2_510),
)
