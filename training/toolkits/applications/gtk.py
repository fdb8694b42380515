"""The evaluation's GTK 3 applications: `gtk.py NAME LOOK` with LOOK as JSON. See kit.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from toolkits.applications.gtk_kit import GtkKit, column, form, frame, line  # noqa: E402
from gi.repository import Gtk  # noqa: E402

Look = dict[str, Any]


def contact(look: Look) -> GtkKit:
    kit = GtkKit("New Acquaintance", look)
    kit.outer.add(column(form([
        ("Given name:", kit.field("Given name")), ("Family name:", kit.field("Family name")), ("Mail:", kit.field("Mail", "office@harbour.example")),
        ("Landline:", kit.field("Landline")), ("Relation:", kit.combo("Relation", ["Colleague", "Relative", "Neighbour", "Supplier"])),
    ]), line(kit.check("Starred", True), kit.check("Send greeting cards")), line(kit.button("Discard"), kit.button("Keep"), end=True)))  # fmt: skip
    return kit


def printing(look: Look) -> GtkKit:
    kit = GtkKit("Print Brochure", look)
    pages = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=3, border_width=6)
    left = column(kit.rows("Printer", ["Hall colour laser", "Basement plotter", "Front desk inkjet", "Store to PDF"], 0), frame("Pages", kit.radios("Pages", ["Whole document", "This page", "Selection only"], 0, pages)), border=0)
    right = column(
        form([("Copies:", kit.spin("Copies", 1, 99, 1)), ("Paper:", kit.combo("Paper", ["A5", "A3", "Legal", "Tabloid"])), ("Tray:", kit.combo("Tray", ["Upper", "Lower", "Manual feed"]))]),
        kit.check("Two-sided"), kit.check("Collate", True), kit.check("Staple"), border=0,
    )  # fmt: skip
    body = line(left, right, border=12)
    kit.outer.add(body)
    kit.outer.add(line(kit.button("Page view"), kit.button("Leave"), kit.button("Print now"), end=True, border=10))
    return kit


def properties(look: Look) -> GtkKit:
    kit = GtkKit("quarterly-figures.ods Properties", look)
    book = Gtk.Notebook()
    kit.page = "Basics"
    first = column(form([("Label:", kit.field("Label", "quarterly-figures.ods")), ("Kind:", Gtk.Label(label="Spreadsheet", xalign=0)), ("Volume:", Gtk.Label(label="48.2 kB", xalign=0)), ("Remark:", kit.field("Remark"))]))
    kit.page = "Rights"
    second = column(
        form([("Owner may:", kit.combo("Owner may", ["Read", "Read and write", "Nothing"], 1)), ("Group may:", kit.combo("Group may", ["Read", "Read and write", "Nothing"]))]),
        kit.check("Run as a program"), kit.check("Locked against deletion"),
    )  # fmt: skip
    kit.page = "Opens with"
    third = column(kit.rows("Program", ["Calc", "Gnumeric", "Table Viewer", "Hex Editor"], 0, 100))
    kit.page = None
    for title, page in (("Basics", first), ("Rights", second), ("Opens with", third)):
        book.append_page(page, Gtk.Label(label=title))
    kit.outer.add(column(book, line(kit.button("Dismiss"), kit.button("Accept"), end=True)))
    return kit


def sound(look: Look) -> GtkKit:
    kit = GtkKit("Audio Mixer", look)
    kit.outer.add(column(
        frame("Playback", column(form([("Device:", kit.combo("Device", ["Built-in speakers", "HDMI monitor", "USB headset"])), ("Loudness:", kit.scale("Loudness", 64)), ("Balance:", kit.scale("Balance", 50))]), kit.check("Over-amplify"), border=8)),
        frame("Recording", column(form([("Microphone:", kit.combo("Microphone", ["Internal", "Line in", "None attached"])), ("Gain:", kit.scale("Gain", 30))]), kit.check("Suppress hum", True), border=8)),
        form([("Silence everything", kit.switch("Silence everything")), ("Beep on errors", kit.switch("Beep on errors", True))], right=False),
        line(kit.button("Test tone"), kit.button("Shut"), end=True),
    ))  # fmt: skip
    return kit


def mail(look: Look) -> GtkKit:
    kit = GtkKit("Letter to nobody yet", look)
    bar = kit.menubar({"Letter": ["Dispatch", "Keep as draft", "Throw away"], "Layout": ["Plain", "Rich"], "Extras": ["Attach picture", "Insert signature"]})
    kit.outer.add(bar)
    kit.outer.add(line(kit.button("Send off"), kit.button("Park"), kit.button("Spelling"), border=5))
    kit.outer.add(column(form([("Recipient", kit.field("Recipient")), ("Copy to", kit.field("Copy to")), ("Topic", kit.field("Topic"))], right=False), Gtk.Label(label="Body", xalign=0), kit.note("Body"), line(kit.check("Ask for receipt"), kit.check("Sign digitally", True)), border=8))
    return kit


def workout(look: Look) -> GtkKit:
    kit = GtkKit("Training Diary", look)
    grid = Gtk.Grid(row_spacing=6, column_spacing=12)
    rows = [("Sport", kit.combo("Sport", ["Rowing", "Climbing", "Skating", "Judo"])), ("Minutes", kit.field("Minutes", "45")), ("Pulse", kit.field("Pulse")), ("Partner", kit.field("Partner"))]
    for number, (text, widget) in enumerate(rows):
        grid.attach(column(Gtk.Label(label=text, xalign=0), widget, spacing=2, border=0), number % 2, number // 2, 1, 1)
    mood = Gtk.Box(spacing=10)
    kit.outer.add(column(grid, frame("Effort", kit.radios("Effort", ["Gentle", "Brisk", "Exhausting"], 1, mood)), line(kit.check("Outdoors"), kit.check("Stretched afterwards"), kit.check("Injury")), line(kit.button("Log it"), kit.button("Forget it"), end=True)))
    return kit


APPLICATIONS = {"contact": contact, "printing": printing, "properties": properties, "sound": sound, "mail": mail, "workout": workout}

if __name__ == "__main__":
    chosen = json.loads(sys.argv[2])
    APPLICATIONS[sys.argv[1]](chosen).run(chosen.get("at"))
