"""What the evaluation types into fields and calls windows; its own, as its applications are."""

from __future__ import annotations

from random import Random

_FIRST = ("Maren", "Tobias", "Odile", "Wendel", "Ksenia", "Ruben", "Halvard", "Ysolde", "Bertil", "Carmela")
_LAST = ("Vogt", "Lindqvist", "Abernathy", "Okonkwo", "Sundgren", "Pereira", "Hollis", "Takeda")
_THINGS = ("brass lantern", "two sacks of peat", "Pump house", "Lower field", "spare key", "Harbour office", "Second floor", "blue folder", "Kiln 4", "old mill")


_TITLES = (
    "Ledger", "Tide Tables", "Orchard Map", "Choir Practice", "Ferry Log", "Night Watch", "Loan Desk", "Seed Bank", "Bell Tower", "Boiler Room", "Parish News", "Rowing Club", "Weather Diary", "Beehive Records",
    "Stamp Album", "Field Notes", "Lost Property", "Road Works", "Guest Book", "Fuel Card", "Sheet Music", "Cellar Stock", "Kennel Rota", "Map Room", "Tax Return 2023", "Water Meter", "Dry Dock", "Quarry Plan",
    "Change of address", "Renew a licence", "Report a leak", "Choose a cabin", "Where to send it", "Before you go", "Terms of hire", "Who is coming?", "Compare two maps", "Pick a colour", "Set the clock",
    "Untitled 3", "Page 12 of 40", "Room 2-14", "Lot 88", "Volume IX", "Trip to Esbjerg", "Mail for Odile", "Rent, May", "Wages (draft)", "Plan B", "Day sheet 17", "Form P-45", "Bus 61",
)
_PLACES = ("The Kettle Shop", "Harbour Radio", "Lindqvist & Vogt", "Mill Lane Surgery", "Northfield Bank", "County Archive", "Abernathy's", "Blue Heron Inn", "Writer", "Sheets", "Viewer", "Studio")


def title(rng: Random) -> str:
    """Of a window: alone, before the name of a place or a programme, or a file's."""
    pick = rng.random()
    if pick < 0.6:
        return rng.choice(_TITLES)
    if pick < 0.85:
        return f"{rng.choice(_TITLES)} - {rng.choice(_PLACES)}"
    return f"{rng.choice(_THINGS).replace(' ', rng.choice('-_'))}.{rng.choice(('odt', 'csv', 'jpg', 'txt'))} - {rng.choice(_PLACES)}"


def value(rng: Random) -> str:
    """A name, an address for mail, a number, a date, a code or a few words."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return rng.choice([
        first, f"{first} {last}", f"{first.lower()}@{last.lower()}.example", str(rng.randint(2, 9999)), f"{rng.randint(1, 28)}.{rng.randint(1, 12)}.20{rng.randint(19, 31)}", f"20{rng.randint(19, 31)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        f"{rng.choice('ABCDKRTX')}{rng.randint(1, 9)}-{rng.randint(10, 999)}", rng.choice(_THINGS), f"{rng.randint(1, 99)} {last} Road",
    ])  # fmt: skip
