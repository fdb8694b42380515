"""What stands on screens: labels, values, titles and sentences, drawn at random."""

from __future__ import annotations

import os
import string
from pathlib import Path
from random import Random

PACK = Path(os.environ.get("DESKHAND_PACK", Path(__file__).resolve().parents[2] / "build/training/pack"))
WORDS = (PACK / "words.txt").read_text().split() if (PACK / "words.txt").exists() else ["alpha", "beta", "gamma", "delta", "table", "window"]
_RUDE = ("nigg", "fuck", "shit", "cunt", "fag", "rape", "rapi", "whore", "slut", "nazi", "kike", "coon", "bitch", "porn", "dyke")
SHORT = [word for word in WORDS if len(word) <= 9 and not any(part in word.lower() for part in _RUDE)]


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", "|").split("|") if part.strip()]


BUTTONS = _list("""OK|Cancel|Apply|Close|Save|Save As…|Open|Delete|Remove|Add|Edit|Copy|Paste|Cut|Undo|Redo|Yes|No|Retry|Abort|Ignore|Help|About|Next
Back|Finish|Previous|Continue|Submit|Reset|Clear|Search|Find|Replace|Browse…|Browse|Login|Log in|Sign in|Sign up|Log out|Register|Send|Reply
Forward|Print|Export|Import|Download|Upload|Refresh|Reload|Update|Install|Uninstall|Start|Stop|Pause|Resume|Play|Record|Run|Build|Debug|Connect
Disconnect|Share|Settings|Preferences|Options|Properties|Advanced|Details|More|Less|Show|Hide|New|New File|New Folder|Rename|Move|Select All
Deselect|Zoom In|Zoom Out|Fit|Rotate|Crop|Filter|Sort|Group|Archive|Restore|Backup|Sync|Scan|Test|Check|Verify|Confirm|Accept|Decline|Agree
Disagree|Allow|Deny|Block|Report|Follow|Like|Subscribe|Buy|Order|Checkout|Add to Cart|Pay|Book|Enter|Exit|Quit|Home|Save changes|Discard
Don't save|Try again|Go back|Not now|Skip|Done|Got it|Choose file|Select folder|Empty trash|Shut down|Restart|Sleep|Lock|Log off|Create account
Learn more|Contact us|Move up|Move down|Add row|Delete row|Set|Get|Load|Calculate|Convert|Compare|Merge|Duplicate|Assign|Approve|Reject|Invite
Publish|Preview|Validate|Generate|Revert|Defaults|Create|View|Change…|Configure…|Customize|Dismiss|Pin|Mute|Unmute|Attach|Translate|Save Draft""")
FIELDS = _list("""Name|First name|Last name|Full name|Surname|Email|Email address|E-mail|Password|Username|User name|User|Address|Street|City|State
Country|Zip|Zip code|Postal code|Phone|Phone number|Telephone|Mobile|Company|Title|Subject|Message|Comment|Comments|Description|Notes|Age|Date
Date of birth|Birthday|Time|Start date|End date|Amount|Price|Quantity|Total|Currency|URL|Website|Host|Hostname|Port|Server|Domain|Path|File name
Folder|Location|Search|Query|Tags|Category|Priority|Status|Type|ID|Code|PIN|Token|Key|Value|Width|Height|Size|Color|Label|Nickname|Display name
Job title|Department|Organization|Card number|Expiry|CVV|Account|To|From|Cc|Bcc|Project|Branch|Version|Author|Year|Month|Day|Duration|Language
Timezone|Delivery date|Order number|Customer|Room|Guests|Invoice number|Reference|Discount|Tax|Weight|Depth|Length|Radius|Angle|Speed|Timeout
Retries|Interval|Threshold|Limit|Proxy|Gateway|Subnet mask|DNS server|IP address|MAC address|Database|Table|Column|Schema|Command|Arguments
Working directory|Output file|Input file|Prefix|Suffix|Pattern|Replacement|Seed|Iterations|Batch size|Middle name|House number|Region|Province
Employer|Salary|Occupation|Emergency contact|Allergies|Recipient|Sender|Signature|Theme|Keyword|Keywords|Summary|Keyboard layout|Serial number""")
CHECKS = _list("""Remember me|Keep me signed in|I agree to the terms|Enable|Show hidden files|Start at login|Check for updates|Use proxy|Read only|Full screen
Mute|Repeat|Shuffle|Send a copy|Overwrite existing|Enable logging|Dark mode|Word wrap|Line numbers|Auto save|Newsletter|Express shipping|Gift wrap
Save password|Show password|Don't show again|Notifications|Bluetooth|Wi-Fi|Airplane mode|Location services|Automatic updates|Case sensitive
Whole words|Regular expression|Match case|Include subfolders|Urgent|Confidential|Encrypt|Compress|Verbose|Dry run|Force|Recursive|Bold|Italic
Underline|Grid|Rulers|Status bar|Toolbar|Sidebar|Spell check|Autocomplete|Syntax highlighting|Night light|Sound effects|Vibration|Backup daily
Breakfast included|Sea view|Late checkout|Vegetarian|Insurance|Priority support|Accept cookies|Subscribe to newsletter|Use SSL|Anonymous
Allow remote access|Lock screen|Show seconds|24-hour clock|Snap to grid|Loop|Subtitles|Hardware acceleration|Debug mode|Telemetry|Private""")
OPTIONS = _list("""None|All|Dark|Light|Auto|Low|Medium|High|Small|Large|Red|Green|Blue|Yellow|Black|White|Male|Female|Other|Daily|Weekly|Monthly|Yearly
Never|Always|English|French|German|Spanish|Italian|Default|Custom|Standard|Express|Economy|Business|First class|Cash|Credit card|Bank transfer
PayPal|Visa|Single|Double|Suite|Portrait|Landscape|A4|Letter|PNG|JPEG|PDF|CSV|JSON|Left|Center|Right|Top|Bottom|On|Off|Automatic|Manual|Beginner
Intermediate|Expert|Tea|Coffee|Water|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August
September|October|November|December|Morning|Afternoon|Evening|Public|Private|Friends only|Admin|Editor|Viewer|Guest|Hourly|Ascending|Descending
Metric|Imperial|Celsius|Fahrenheit|Square|Circle|Triangle|Linear|Cubic|Nearest|Fast|Balanced|Quality|Stable|Beta|Nightly|Pickup|Delivery""")
MENUS = _list("File|Edit|View|Tools|Help|Window|Format|Insert|Options|Search|Go|Bookmarks|Table|Project|Terminal|Selection|Run|Image|Layer|Filters|Colors|Account|Actions|Message|Settings|Navigate|Game|Playback")
MENUITEMS = _list("""New|New Window|New Tab|Open…|Open Recent|Close|Close Tab|Save|Save As…|Save All|Revert|Print…|Page Setup…|Properties|Quit|Exit|Undo|Redo|Cut|Copy
Paste|Delete|Select All|Find…|Find Next|Replace…|Go to Line…|Preferences|Zoom In|Zoom Out|Full Screen|Toolbar|Status Bar|Sidebar|Contents|About
Check for Updates…|Report a Bug…|Import…|Export…|Export as PDF…|Rename…|Duplicate|Insert Row|Insert Column|Merge Cells|Word Count|Options…
Keyboard Shortcuts|Reload|Back|Forward|History|Downloads|Add Bookmark|Minimize|Bring to Front|Align Left|Bold|Italic|Font…|Color…|Restart|Sync Now""")
TABS = _list("""General|Appearance|Display|Sound|Power|Keyboard|Mouse|Printers|Privacy|Security|Users|Network|Advanced|Notifications|Accounts|Basic|Details|Options
Permissions|History|Overview|Settings|Files|Log|Output|Console|Inbox|Sent|Drafts|Contacts|Calendar|Tasks|Notes|Shipping|Billing|Payment|Profile
Plugins|Fonts|Colors|Shortcuts|Editor|Search|Results|Summary|Statistics|Members|Home|Products|Orders|Customers|Reports|About""")
LINKS = _list("""Forgot password?|Learn more|Contact us|Terms of service|Privacy policy|Help|Home|About us|Sign up|Read more|View details|Download PDF|Back to top
See all|Change password|Edit profile|My orders|Support|Documentation|Careers|Blog|Pricing|Features|FAQ|Show more results|Unsubscribe|Log out""")
MESSAGES = _list("""Do you want to save your changes?|The file could not be opened.|Update available|A new version is available.|Connection lost.|Battery low
Are you sure?|The operation completed successfully.|Low disk space|Please restart the application.|Your session will expire soon.|Rate this app
Subscribe to our newsletter|We use cookies.|The printer is out of paper.|An error occurred.|This file already exists.|Reminder|Did you know?|Tip of the day
Incoming call|Software updates are ready to install|Network is unavailable|Backup finished|Please rate your experience|Unknown error|Welcome back!
Your trial ends in 3 days.|Permission denied|The disk is almost full.|Message sent|Could not connect to server""")
TITLES = _list("""Preferences|Settings|Login|Sign in|Registration|New Contact|Edit Contact|Order form|Checkout|Find and Replace|Save As|Open File|Print|Properties
Address Book|Calculator|Text Editor|Notes|Calendar|Task Manager|File Manager|Terminal|Music Player|Photo Viewer|Mail|Compose Message|Chat|Weather
Clock|Budget|Invoice|Inventory|Customers|Booking|Survey|Feedback|Network Connections|Software Update|Package Manager|Disk Utility|System Monitor
User Accounts|Export|Import|New Project|Connect to Server|Add Event|Employee Record|Patient Data|Course Registration|Shopping List|Unit Converter""")
NAMES = """Alice Bob Carol David Emma Frank Grace Henry Ivy Jack Kate Liam Mia Noah Olivia Paul Quinn Rose Sam Tina Uma Victor Wendy Xander Yara Zoe Anna Ben
Clara Daniel Ella Felix John Mary Peter Lucy Ada Grace Alan Edsger Barbara Donald Ken Dennis Linus Margaret Katherine Hedy Marie Niels Erwin Max Otto Ines
Jonas Lena Hugo Nina Omar Priya Ravi Sofia Tomás Zoë Chloé Björn André José Renée Aisha Bao Chen Dmitri Elif Fatima Goro Hana Ivan Jamal Kofi""".split()
SURNAMES = """Smith Jones Brown Miller Davis Wilson Moore Taylor Clark Lewis Walker Hall Young King Wright Scott Green Baker Adams Nelson Lovelace Hopper Turing
Johnson Garcia Martinez Lee Kim Nguyen Patel Khan Müller Schmidt Fischer Weber Rossi Silva Novak Ivanov Tanaka Sato O'Brien McDonald Larsen Dubois
Anderson Thomas Jackson White Harris Martin Thompson Robinson Mitchell Roberts Carter Phillips Evans Turner Torres Parker Collins Edwards Stewart""".split()
CITIES = _list("""Berlin|Paris|London|Madrid|Rome|Vienna|Oslo|Tokyo|Lima|Cairo|Delhi|Boston|Chicago|New York|Los Angeles|San Francisco|Toronto|Sydney|Zurich|Prague
Lisbon|Dublin|Helsinki|Warsaw|Athens|Seoul|Nairobi|Lagos|Mumbai|Santiago|Porto|Geneva|Hamburg|Munich|Lyon|Milan|Bergen|Kyoto|Austin|Seattle|Denver""")
COUNTRIES = _list("Germany|France|Spain|Italy|Austria|Norway|Japan|Peru|Egypt|India|USA|Canada|Australia|Switzerland|Portugal|Ireland|Finland|Poland|Greece|Brazil|Mexico|Kenya")
FAMILIES = [  # labels that are easily taken for each other
    ["Name", "First name", "Last name", "Full name", "User name"], ["Start date", "End date", "Start time", "End time"],
    ["Email", "Email address", "Confirm email"], ["Password", "Confirm password", "Old password", "New password"],
    ["Save", "Save As…", "Save All", "Save and close"], ["Width", "Height", "Depth", "Weight"], ["From", "To", "Cc", "Bcc"],
    ["Add", "Add all", "Remove", "Remove all"], ["Street", "Street 2", "State"], ["Host", "Hostname", "Port", "Proxy host", "Proxy port"],
    ["Day", "Date", "Data", "Rate"], ["Billing address", "Shipping address", "Email address"], ["Min", "Max", "Mean"],
    ["Show toolbar", "Show status bar", "Show sidebar", "Show line numbers"], ["Left", "Right", "Top", "Bottom"], ["Red", "Green", "Blue", "Alpha"],
    ["Check in", "Check out"], ["Home phone", "Work phone", "Mobile phone"], ["Zoom in", "Zoom out"], ["Undo", "Redo"], ["Next", "Next page", "Text"],
]


def random_text(rng: Random, low: int, high: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Characters without a meaning."""
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def cased(rng: Random, words: list[str]) -> str:
    """Title Case, Sentence case, lower case or CAPITALS."""
    pick = rng.random()
    if pick < 0.35:
        return " ".join(word[:1].upper() + word[1:] for word in words)
    if pick < 0.72:
        return " ".join([words[0][:1].upper() + words[0][1:], *(word.lower() for word in words[1:])])
    if pick < 0.93:
        return " ".join(word.lower() for word in words)
    return " ".join(word.upper() for word in words)


def made_up(rng: Random) -> str:
    """A word that no dictionary has, so that letters must be seen and cannot be guessed."""
    parts = [rng.choice(ONSETS) + rng.choice(VOWELS) + (rng.choice(CODAS) if rng.random() < 0.5 else "") for _ in range(rng.choice([1, 2, 2, 2, 3, 3]))]
    return "".join(parts)


def altered(rng: Random) -> str:
    """A dictionary's word with one letter changed, left out, doubled or added: what is nearly a word must be read to its last letter."""
    word = rng.choice(SHORT).lower()
    at = rng.randrange(len(word))
    return word[:at] + rng.choice([rng.choice(string.ascii_lowercase), "", word[at] * 2, word[at] + rng.choice(string.ascii_lowercase)]) + word[at + 1 :] or word


def rare(rng: Random) -> str:
    """A word that cannot be guessed."""
    return made_up(rng) if rng.random() < 0.65 else altered(rng)


def name(rng: Random, known: list[str]) -> str:
    """One of the known names, or one made up."""
    return rng.choice(known) if rng.random() < 0.25 else rare(rng).capitalize()


def family(rng: Random) -> list[str]:
    """Labels that are easily taken for each other: known ones, ones that share a word, ones that differ in a letter."""
    pick = rng.random()
    if pick < 0.35:
        return rng.choice(FAMILIES)
    count = rng.randint(2, 5)
    if pick < 0.55:
        stem = words(rng, 1, 1)
        return list(dict.fromkeys(f"{stem} {rare(rng) if rng.random() < 0.3 else rng.choice([*ENDINGS, rng.choice(SHORT).lower()])}" for _ in range(count)))
    if pick < 0.85:
        stem = rng.choice([rng.choice(SHORT).lower(), rng.choice(rng.choice([BUTTONS, FIELDS, LINKS, TABS])).lower().rstrip("….?")])
        return list(dict.fromkeys(f"{words(rng, 1, 1)} {stem}" for _ in range(count)))
    stem = rng.choice(SHORT)
    if len(stem) < 4:
        return [stem, stem + "s"]
    return list(dict.fromkeys([stem, *(stem[:at] + rng.choice(string.ascii_lowercase) + stem[at + 1 :] for at in rng.sample(range(1, len(stem)), 2))]))


def words(rng: Random, low: int = 1, high: int = 3) -> str:
    """Words of a dictionary, so that the model reads instead of recognising the usual labels; a third with a small word as `of` or `in`."""
    text = cased(rng, [rare(rng) if rng.random() < 0.35 else rng.choice(SHORT) for _ in range(rng.randint(low, high))])
    if rng.random() >= 0.3:
        return text
    parts = text.split(" ")
    if len(parts) == 1:
        return f"{text} {rng.choice(ENDINGS)}" if rng.random() < 0.6 else f"{rng.choice(BEGINNINGS)} {text.lower()}"
    at = rng.randint(1, len(parts) - 1)
    return " ".join([*parts[:at], rng.choice(JOINTS), *parts[at:]])


TABLES = {"button": BUTTONS, "field": FIELDS, "check": CHECKS, "option": OPTIONS, "menu": MENUS, "menuitem": MENUITEMS, "tab": TABS, "link": LINKS, "title": TITLES}


ONSETS = "b c d f g h j k l m n p qu r s t v w x y z bl br ch cl cr dr fl fr gl gr kn kr ph pl pr sc sh sk sl sm sn sp st str sw th tr tw wh".split() + [""]
VOWELS = "a e i o u y ai au ea ee ei ia ie io oa oo ou ue".split()
CODAS = "b c ck ct d f ft g gh k l ld lf ll lm lt m mb mp n nd ng nk nn nt p r rd rk rl rm rn rt s sh sk ss st t th tt v w x y z".split()
JOINTS = "and and or of of in on at to for with by from per the a & / -".split()
ENDINGS = "in on up out off by to at over again only here".split()
BEGINNINGS = "No With Use All By On In Add Show My The Your Per New Is Any Not".split()


def label(rng: Random, role: str, longest: int = 3) -> str:
    """A label for a `role` of TABLES: usual ones, dictionary words, file names, numbers, codes."""
    pick = rng.random()
    if pick < (0.75 if role in ("menu", "menuitem") else 0.4):
        return rng.choice(TABLES[role])
    if pick < 0.86:
        return words(rng, 1, rng.choice([1, 2, 2, longest]))
    if pick < 0.9:
        return rng.choice(rng.choice([BUTTONS, FIELDS, CHECKS, OPTIONS, TABS]))
    if pick < 0.94:
        return f"{words(rng, 1, 1)} {rng.randint(0, 120)}"
    if pick < 0.965:
        return random_text(rng, 2, 8)
    if pick < 0.985:
        return filename(rng)
    return str(rng.randint(0, 10 ** rng.randint(1, 4)))


def filename(rng: Random) -> str:
    """A file's name."""
    stem = rng.choice(["", rng.choice(SHORT).lower() + rng.choice(["_", "-", ""])]) + rng.choice(SHORT).lower()
    return stem + rng.choice(["", "", str(rng.randint(1, 99))]) + rng.choice([".txt", ".py", ".png", ".pdf", ".doc", ".zip", ".mp3", ".md", ".csv", ".html", ".json"])


def person(rng: Random) -> str:
    """A person's full name."""
    return f"{name(rng, NAMES)} {name(rng, SURNAMES)}"


def email(rng: Random) -> str:
    """An address for mail."""
    user = rng.choice([name(rng, NAMES).lower(), name(rng, NAMES).lower(), rng.choice(SHORT).lower(), random_text(rng, 1, 4, string.ascii_lowercase)])
    user += rng.choice(["", "", "", ".", "_", "-"]) + rng.choice(["", "", name(rng, SURNAMES).lower(), str(rng.randint(1, 99))])
    host = rng.choice(["example", "mail", rng.choice(SHORT).lower(), rare(rng), rare(rng), rare(rng), random_text(rng, 1, 4, string.ascii_lowercase)])
    return user.rstrip("._-") + "@" + host + rng.choice([".com", ".org", ".net", ".io", ".de", ".co.uk", ".test", ".example"])


def date(rng: Random) -> str:
    """A date in one of the usual notations."""
    year, month, day = rng.randint(1950, 2035), rng.randint(1, 12), rng.randint(1, 28)
    months = "January February March April May June July August September October November December".split()
    return rng.choice([
        f"{year:04d}-{month:02d}-{day:02d}", f"{year:04d}-{month:02d}-{day:02d}", f"{day:02d}/{month:02d}/{year}", f"{month}/{day}/{year}",
        f"{day:02d}.{month:02d}.{year}", f"{day}.{month}.{year}", f"{months[month - 1]} {day}, {year}", f"{day} {months[month - 1][:3]} {year}",
    ])


def number(rng: Random) -> str:
    """An integer, decimal, price or percentage."""
    return rng.choice([
        str(rng.randint(0, 10 ** rng.randint(1, 7))), str(rng.randint(0, 120)), f"{rng.randint(0, 999)}.{rng.randint(0, 99):02d}", f"-{rng.randint(1, 99)}",
        f"{rng.randint(1, 999)},{rng.randint(0, 999):03d}", f"{rng.randint(0, 100)}%", f"${rng.randint(1, 500)}.{rng.randint(0, 99):02d}", f"{rng.uniform(0, 1):.3f}",
    ])


def phone(rng: Random) -> str:
    """A telephone number."""
    return rng.choice([f"+{rng.randint(1, 99)} {rng.randint(0, 999):03d} {rng.randint(0, 9999):04d}", f"{rng.randint(100, 999)}-{rng.randint(1000, 9999)}", f"({rng.randint(100, 999)}) {rng.randint(100, 999)}-{rng.randint(1000, 9999)}", f"0{rng.randint(10 ** 7, 10 ** 9)}"])


def sentence(rng: Random, low: int = 3, high: int = 9) -> str:
    """Words in a row that end like a sentence."""
    text = " ".join(rng.choice(SHORT).lower() for _ in range(rng.randint(low, high)))
    return text[:1].upper() + text[1:] + rng.choice([".", ".", "", "!", "?"])


def code(rng: Random) -> str:
    """Letters and digits as on labels and bills: "K7-204", "B-14", "20-117", "AB 1204"."""
    letters = "".join(rng.choice(string.ascii_uppercase) for _ in range(rng.randint(0, 3)))
    return letters + rng.choice(["", "", str(rng.randint(1, 99))]) + rng.choice(["-", "-", "-", " ", "/", "."]) + str(rng.randint(1, 10 ** rng.randint(1, 5)))


def title(rng: Random) -> str:
    """A window's title: a few words, often with a document's name, a number or a programme's name beside it."""
    pick = rng.random()
    if pick < 0.25:
        return label(rng, "title", 3)
    if pick < 0.55:
        return words(rng, 2, 4)
    first = rng.choice([filename, person, code, lambda r: words(r, 1, 2), lambda r: label(r, "title", 3)])(rng)
    if pick < 0.75:
        return first + rng.choice([" - ", " - ", ": ", " | "]) + words(rng, 1, 3)
    if pick < 0.85:
        return f"{words(rng, 1, 1)} {code(rng)}"
    if pick < 0.92:
        return "-".join([words(rng, 1, 1), rng.choice(SHORT).lower()]) + " " + words(rng, 1, 1)
    return words(rng, 1, 1) + " " + rng.choice(["of", "for", "a", "the", "and", "in"]) + " " + words(rng, 1, 2)


def value(rng: Random, label_text: str = "") -> str:
    """A text for a field, often of the kind that its label suggests."""
    key = label_text.lower()
    if rng.random() < 0.4:
        for keys, make in KINDS_BY_LABEL:
            if any(part in key for part in keys):
                return make(rng)
    pick = rng.random()
    if pick < 0.12:
        return name(rng, NAMES)
    if pick < 0.24:
        return person(rng)
    if pick < 0.33:
        return email(rng)
    if pick < 0.47:
        return number(rng)
    if pick < 0.54:
        return date(rng)
    if pick < 0.58:
        return "/" + "/".join(rng.choice(SHORT).lower() for _ in range(rng.randint(1, 3)))
    if pick < 0.62:
        return phone(rng)
    if pick < 0.66:
        return rng.choice(CITIES)
    if pick < 0.85:
        return words(rng, 1, 4)
    if pick < 0.9:
        return sentence(rng, 2, 6)
    return code(rng) if pick < 0.95 else random_text(rng, 3, 9)


KINDS_BY_LABEL = [
    (("mail",), email), (("first name", "nickname"), lambda rng: name(rng, NAMES)), (("last name", "surname", "family name"), lambda rng: name(rng, SURNAMES)),
    (("file",), filename), (("name", "customer", "author", "recipient", "sender"), person), (("phone", "mobile", "telephone"), phone),
    (("date", "birth", "expiry"), date), (("time",), lambda rng: f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"), (("city", "location"), lambda rng: rng.choice(CITIES)),
    (("country",), lambda rng: rng.choice(COUNTRIES)), (("street", "address"), lambda rng: f"{rng.randint(1, 250)} {rng.choice(SHORT).capitalize()} {rng.choice(['Street', 'Road', 'Ave', 'Lane'])}"),
    (("zip", "postal", "code", "pin", "port", "number"), lambda rng: str(rng.randint(10, 10 ** rng.randint(2, 6)))), (("url", "website"), lambda rng: f"https://{rng.choice(SHORT).lower()}.{rng.choice(['com', 'org', 'dev'])}/{rng.choice(['', rng.choice(SHORT).lower()])}"),
    (("amount", "price", "total", "age", "width", "height", "size", "quantity", "weight", "year", "guests", "limit"), number), (("ip ", "gateway", "dns"), lambda rng: ".".join(str(rng.randint(0, 255)) for _ in range(4))),
    (("message", "comment", "description", "notes", "subject", "title"), sentence), (("company", "organization", "department"), lambda rng: words(rng, 1, 2)),
]
