"""The evaluation's Tk applications: `tk.py NAME LOOK` with LOOK as JSON. See kit.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tkinter import ttk
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits.applications.tk_kit import TkKit  # noqa: E402
from toolkits.probes import tk as probe  # noqa: E402

Look = dict[str, Any]


def recipe(look: Look) -> TkKit:
    kit = TkKit("Recipe Card", look)
    kit.form(kit.outer, [
        ("Dish:", "field", {}), ("Cook:", "field", {"value": "Aunt Odile"}), ("Portions:", "spin", {"low": 1, "high": 40, "value": 4}), ("Oven:", "combo", {"options": ["Cold", "Warm", "Hot", "Very hot"], "chosen": 2}),
    ]).pack(fill="x")  # fmt: skip
    kit.radios(kit.outer, "Course", ["Starter", "Main dish", "Dessert"], 1, "left").pack(fill="x", pady=4)
    for name, on in (("Contains nuts", False), ("Meatless", True), ("Freezes well", False)):
        kit.check(kit.outer, name, on).pack(anchor="w")
    kit.buttons(kit.outer, "Tear up", "Put in box").pack(fill="x")
    return kit


def alarm(look: Look) -> TkKit:
    kit = TkKit("Wake-up Call", look)
    left, right = kit.frame(kit.outer), kit.frame(kit.outer, "Weekdays")
    kit.form(left, [("Hour", "spin", {"low": 0, "high": 23, "value": 7}), ("Minute", "spin", {"low": 0, "high": 59, "value": 30}), ("Melody", "combo", {"options": ["Rooster", "Harp", "Church bell"]}), ("Caption", "field", {})]).pack(fill="x")
    for name, on in (("Mon", True), ("Tue", True), ("Wed", False), ("Thu", True), ("Fri", True), ("Sat", False), ("Sun", False)):
        kit.check(right, name, on).pack(anchor="w")
    left.pack(side="top", fill="x")
    right.pack(side="top", fill="x", pady=6)
    kit.check(kit.outer, "Vibrate").pack(anchor="w")
    kit.buttons(kit.outer, "Arm", "Disarm", side="left").pack(fill="x")
    return kit


def library(look: Look) -> TkKit:
    kit = TkKit("Village Library", look)
    kit.menubar({"Loans": ["Lend out", "Take back", "Extend"], "Members": ["Enrol reader", "Print card"], "Assist": ["Guide", "Contact librarian"]})
    kit.form(kit.outer, [("Writer:", "field", {}), ("Book title:", "field", {}), ("Shelf:", "field", {"value": "B-14"})]).pack(fill="x")
    kit.rows(kit.outer, "Hits", ["The Quiet Ferry", "Salt and Chalk", "Nine Windmills", "A Lantern for Ulla", "Under the Pylons"], 0).pack(fill="both", expand=True, pady=5)
    kit.check(kit.outer, "Only available copies").pack(anchor="w")
    kit.check(kit.outer, "Large print").pack(anchor="w")
    kit.buttons(kit.outer, "Look up", "Reserve copy").pack(fill="x")
    return kit


def expenses(look: Look) -> TkKit:
    kit = TkKit("Travel Claim", look)
    book = probe.tag(ttk.Notebook(kit.outer), group="claim")
    kit.page = "Trip"
    trip = kit.frame(book)
    kit.form(trip, [("Traveller:", "field", {}), ("Destination:", "field", {"value": "Ghent"}), ("Means:", "combo", {"options": ["Train", "Own car", "Ferry", "Bicycle"]})]).pack(fill="x", padx=8, pady=8)
    kit.page = "Costs"
    costs = kit.frame(book)
    kit.form(costs, [("Fare:", "field", {}), ("Lodging:", "field", {"value": "96"}), ("Per diem:", "field", {})]).pack(fill="x", padx=8, pady=8)
    kit.check(costs, "Receipts enclosed").pack(anchor="w", padx=8)
    kit.page = "Payment"
    payment = kit.frame(book)
    kit.radios(payment, "Refund by", ["Bank", "Cheque", "Cash desk"], 0).pack(fill="x", padx=8, pady=8)
    kit.check(payment, "Advance received").pack(anchor="w", padx=8)
    kit.page = None
    for page, title in ((trip, "Trip"), (costs, "Costs"), (payment, "Payment")):
        book.add(page, text=title)
    book.pack(fill="both", expand=True)
    kit.buttons(kit.outer, "Withdraw", "Hand in").pack(fill="x")
    return kit


def player(look: Look) -> TkKit:
    kit = TkKit("Gramophone", look)
    kit.rows(kit.outer, "Tracks", ["Harbour Lights", "Polka for Two", "Blue Tram", "Snow on Rails", "The Miller's Song", "Last Round"], 2, 6).pack(fill="both", expand=True)
    kit.buttons(kit.outer, "Rewind", "Spin", "Halt", "Skip track", side="left").pack()
    kit.form(kit.outer, [("Sound stage:", "combo", {"options": ["Concert hall", "Living room", "Open air"]}), ("Playlist:", "field", {"value": "Sunday"})]).pack(fill="x")
    kit.check(kit.outer, "Play at random").pack(anchor="w")
    kit.check(kit.outer, "Crackle", True).pack(anchor="w")
    return kit


def garden(look: Look) -> TkKit:
    kit = TkKit("Seed Order", look)
    table = probe.tag(ttk.Treeview(kit.outer, columns=("seed", "grams", "sow"), show="headings", height=4), group="seeds")
    for name, title in (("seed", "Seed"), ("grams", "Grams"), ("sow", "Sow in")):
        table.heading(name, text=title, anchor="w")
        table.column(name, width=110)
    for values in (("Chard", "15", "April"), ("Parsnip", "10", "March"), ("Borage", "5", "May"), ("Leek", "8", "February")):
        table.insert("", "end", values=values)
    table.pack(fill="x")
    kit.form(kit.outer, [("Gardener:", "field", {}), ("Allotment:", "field", {}), ("Parcel size:", "combo", {"options": ["Sachet", "Pouch", "Sack"]})]).pack(fill="x", pady=5)
    kit.check(kit.outer, "Organic only", True).pack(anchor="w")
    kit.check(kit.outer, "Deliver to shed").pack(anchor="w")
    kit.buttons(kit.outer, "Empty list", "Place order").pack(fill="x")
    return kit


APPLICATIONS = {"recipe": recipe, "alarm": alarm, "library": library, "expenses": expenses, "player": player, "garden": garden}

if __name__ == "__main__":
    chosen = json.loads(sys.argv[2])
    APPLICATIONS[sys.argv[1]](chosen).run(chosen.get("at"))
