"""The evaluation's Qt 5 applications: `qt.py NAME LOOK` with LOOK as JSON. See kit.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from PyQt5.QtWidgets import QGroupBox, QTableWidget, QTableWidgetItem, QTabWidget, QVBoxLayout

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits.applications.qt_kit import QtKit, column, form, line  # noqa: E402
from toolkits.probes import qt as probe  # noqa: E402

Look = dict[str, Any]


def preferences(look: Look) -> QtKit:
    kit = QtKit("Reader Options", look)
    tabs = QTabWidget()
    kit.page = "Reading"
    reading = column(form([("Letter size:", kit.spin("Letter size", 6, 40, 12)), ("Page turn:", kit.combo("Page turn", ["Slide", "Curl", "Instant"]))]), kit.check("Justify paragraphs", True), kit.check("Hyphenate"))
    kit.page = "Library"
    library = column(form([("Shelf folder:", kit.field("Shelf folder", "/srv/books")), ("Catalogue:", kit.field("Catalogue"))]), kit.check("Watch for new titles"), kit.check("Fetch covers", True))
    kit.page = "Speech"
    speech = column(kit.radios("Voice", ["Alto", "Tenor", "Robot"], 0), kit.check("Read aloud at bedtime"))
    kit.page = None
    for title, page in (("Reading", reading), ("Library", library), ("Speech", speech)):
        tabs.addTab(page, title)
    kit.outer.addWidget(tabs)
    kit.outer.addWidget(line(kit.button("Factory values"), kit.button("Never mind"), kit.button("Use these"), end=True))
    return kit


def invoice(look: Look) -> QtKit:
    kit = QtKit("Bill 20-117", look)
    kit.outer.addWidget(form([("Client", kit.field("Client", "Moss & Sons")), ("Due", kit.field("Due")), ("Terms", kit.combo("Terms", ["10 days", "30 days", "On receipt"], 1))]))
    table = QTableWidget(4, 3)
    table.setHorizontalHeaderLabels(["Article", "Pieces", "Each"])
    table.verticalHeader().hide()
    for row, texts in enumerate([("Oak plank", "12", "8.40"), ("Brass hinge", "24", "1.15"), ("Varnish", "3", "14.00"), ("Sandpaper", "10", "0.60")]):
        for number, text in enumerate(texts):
            table.setItem(row, number, QTableWidgetItem(text))
    table.setFixedHeight(150)
    kit.outer.addWidget(probe.tag(table, group="articles"))
    kit.outer.addWidget(line(kit.check("Paid"), kit.check("Reverse charge"), kit.check("Second reminder sent")))
    kit.outer.addWidget(line(kit.button("Append row"), kit.button("Drop row"), kit.button("Issue"), end=True))
    return kit


def cottage(look: Look) -> QtKit:
    kit = QtKit("Reserve a Cottage", look)
    kit.outer.addWidget(form([("Arrival:", kit.field("Arrival")), ("Departure:", kit.field("Departure")), ("Adults:", kit.spin("Adults", 1, 12, 2)), ("Infants:", kit.spin("Infants", 0, 6, 0)), ("Contact mail:", kit.field("Contact mail"))]))
    kit.outer.addWidget(line(kit.radios("Lodging", ["Lakeside hut", "Forest cabin", "Farmhouse"], 1), kit.radios("Meals", ["Self-catering", "Half board"], 0)))
    extras = QGroupBox("Extras")
    layout = QVBoxLayout(extras)
    for name, on in (("Firewood", False), ("Bed linen", True), ("Rowing boat", False)):
        layout.addWidget(kit.check(name, on))
    kit.outer.addWidget(extras)
    kit.outer.addWidget(line(kit.button("Start over"), kit.button("Reserve"), end=True))
    return kit


def chores(look: Look) -> QtKit:
    kit = QtKit("Household Chores", look)
    kit.outer.setMenuBar(kit.menubar({"Chore": ["Add chore", "Mark as finished", "Hand over"], "Household": ["Invite member", "Weekly plan"], "Info": ["Handbook", "About Chores"]}))
    kit.outer.addWidget(line(kit.rows("Open chores", ["Water the ferns", "Descale kettle", "Oil the gate", "Sort the cellar", "Wash curtains", "Defrost freezer"], 0, 130), column(form([("Who:", kit.combo("Who", ["Anyone", "Mum", "Dad", "Lodger"])), ("Until:", kit.field("Until"))]), kit.check("Repeat weekly"), kit.check("Needs tools"))))
    kit.outer.addWidget(form([("Hint:", kit.field("Hint"))]))
    kit.outer.addWidget(line(kit.button("Finished"), kit.button("Postpone"), end=True))
    return kit


def tunnel(look: Look) -> QtKit:
    kit = QtKit("Tunnel Setup", look)
    kit.outer.addWidget(form([("Gate:", kit.field("Gate", "gate.north.example")), ("Entry point:", kit.field("Entry point", "1194")), ("Login:", kit.field("Login")), ("Secret phrase:", kit.field("Secret phrase")), ("Cipher:", kit.combo("Cipher", ["AES-128", "AES-256", "ChaCha20"], 1))]))
    kit.outer.addWidget(kit.check("Connect at boot"))
    kit.outer.addWidget(kit.check("Route all traffic", True))
    kit.outer.addWidget(kit.check("Squeeze data"))
    kit.outer.addWidget(line(kit.button("Probe"), kit.button("Establish"), kit.button("Give up"), end=True))
    return kit


def observation(look: Look) -> QtKit:
    kit = QtKit("Bird Sighting", look)
    kit.outer.addWidget(form([("Species", kit.field("Species")), ("Place", kit.field("Place", "Reed marsh")), ("Head count", kit.spin("Head count", 0, 500, 1)), ("Weather", kit.combo("Weather", ["Clear", "Foggy", "Drizzle", "Gale"])), ("Observations", kit.note("Observations"))]))
    kit.outer.addWidget(kit.radios("Plumage", ["Juvenile", "Adult", "Unsure"], 2, wide=True))
    kit.outer.addWidget(line(kit.check("Photographed"), kit.check("Heard only"), kit.check("Ringed")))
    kit.outer.addWidget(line(kit.button("File sighting"), kit.button("Wipe"), end=True))
    return kit


APPLICATIONS = {"preferences": preferences, "invoice": invoice, "cottage": cottage, "chores": chores, "tunnel": tunnel, "observation": observation}

if __name__ == "__main__":
    chosen = json.loads(sys.argv[2])
    APPLICATIONS[sys.argv[1]](chosen).run(chosen.get("at"))
