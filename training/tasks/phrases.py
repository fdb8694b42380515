"""How people say what they want: tables of phrasings. `{}` and `{0}` are the target, `{1}` the value."""

from __future__ import annotations


def _lines(text: str) -> list[str]:
    return [line for line in text.strip().split("\n") if line]


SET = _lines("""
set {0} to {1}
set {0} to {1}
set the {0} field to {1}
set the value of {0} to {1}
set {0} = {1}
enter {1} in {0}
enter {1} in the {0} field
enter {1} into {0}
enter {1} into the {0} field
enter {1} for {0}
enter {1} as {0}
enter {1} as the {0}
type {1} into the {0} field
type {1} in {0}
type {1} in the {0} field
type {1} into {0}
put {1} in {0}
put {1} into the {0} field
put {1} in the {0} field
write {1} in the {0} box
write {1} in {0}
write {1} into {0}
fill {0} with {1}
fill in {0} with {1}
fill {1} into {0}
fill in {1} as {0}
fill in {1} for {0}
fill the {0} field with {1}
change {0} to {1}
change the {0} field to {1}
change the {0} to {1}
update {0} to {1}
replace {0} with {1}
in {0} type {1}
in {0} enter {1}
in the {0} field type {1}
in the {0} field, enter {1}
use {1} as {0}
use {1} as the {0}
use {1} for {0}
for {0} enter {1}
for {0}, use {1}
{0} should be {1}
{0} must be {1}
the {0} should be {1}
the {0} is {1}
my {0} is {1}
click {0} and type {1}
{0}: {1}
{0} = {1}
{0} is {1}
""")
CHECK = _lines("""
check {}
check {}
tick {}
tick {}
enable {}
enable {}
turn on {}
switch on {}
activate {}
check the {} box
check the {} checkbox
tick the {} checkbox
tick the {} box
tick the box {}
mark {}
make sure {} is checked
make sure {} is on
make sure {} is enabled
make sure that {} is ticked
ensure {} is checked
{} should be checked
{} should be on
{} must be on
turn the {} option on
turn {} on
set {} to on
enable the {} option
put a tick at {}
""")
UNCHECK = _lines("""
uncheck {}
uncheck {}
untick {}
untick {}
disable {}
disable {}
turn off {}
switch off {}
deactivate {}
uncheck the {} box
uncheck the {} checkbox
untick the {} checkbox
untick the {} box
clear the {} checkbox
unmark {}
make sure {} is unchecked
make sure {} is off
make sure {} is disabled
make sure that {} is not ticked
ensure {} is unchecked
{} should be unchecked
{} should be off
{} must be off
turn the {} option off
turn {} off
set {} to off
disable the {} option
remove the tick from {}
""")
RADIO = ["select {}", "select {}", "choose {}", "choose {}", "pick {}", "choose the option {}", "select the {} option", "select the option {}", "choose the {} option", "select the radio button {}", "select the {} radio button", "pick the option {}", "set the option to {}", "pick the {} option", "mark the option {}", "take {}"]
ITEM = ["select {}", "select {} in the list", "choose {} in the list", "choose {} from the list", "choose {}", "pick {} from the list", "pick {}", "highlight {}", "select the item {}", "select the row {}", "select the {} row", "click {} in the list", "select the entry {}"]
TAB = ["switch to the {} tab", "open the {} tab", "go to the {} tab", "select the {} tab", "click the {} tab", "show the {} tab", "switch to the tab {}", "change to the {} tab"]
MENU = ["open the {} menu", "click the {} menu", "open the menu {}", "click {} in the menu bar", "show the {} menu"]
MENU_ITEM = ["choose {1} in the {0} menu", "choose {1} from the {0} menu", "select {1} in the {0} menu", "click {1} in the {0} menu", "open the {0} menu and choose {1}", "open the {0} menu and click {1}", "in the {0} menu choose {1}", "use {0} > {1}", "go to {0} > {1}", "use the menu entry {1} of {0}", "pick {1} from the {0} menu"]
COMBO = ["set {0} to {1}", "choose {1} for {0}", "select {1} for {0}", "select {1} in the {0} list", "choose {1} in {0}", "choose {1} in the {0} dropdown", "select {1} from the {0} dropdown", "pick {1} for {0}", "change {0} to {1}", "set the {0} dropdown to {1}", "{0} should be {1}", "pick {1} in the {0} combo box", "{0}: {1}", "change the {0} to {1}"]
BUTTON = ["press {}", "press {}", "click {}", "click {}", "press the {} button", "press the {} button", "click the {} button", "click the {} button", "click on {}", "click on the {} button", "hit {}", "hit the {} button", "push {}", "push the {} button", "press the button {}", "confirm with {}", "finish with {}", "finish by pressing {}", "click {} to finish", "press {} to confirm", "submit with {}"]
LINK = ["follow the link {}", "click the {} link", "click {}", "open the link {}", "click on {}", "follow {}"]
DOUBLE = ["double-click {}", "double click {}", "open {} with a double click", "double-click on {}", "double-click the item {}"]
RIGHT = ["right-click {}", "right click {}", "right-click on {}", "open the context menu of {}"]
SLIDER = ["set {0} to {1}", "drag {0} to {1}", "move the {0} slider to {1}", "set the {0} slider to {1}", "drag the {0} slider to {1}", "slide {0} to {1}", "change {0} to {1}", "set {0} to {1} percent"]
KEYS = ["press {}", "press {}", "hit {}", "use the shortcut {}", "press the keys {}", "send {}", "type the key chord {}"]
TASK_BAR = ["click {} in the taskbar", "switch to {} in the taskbar", "open {} from the task bar"]
CHORDS = ["ctrl+s", "ctrl+c", "ctrl+v", "ctrl+z", "ctrl+n", "ctrl+o", "ctrl+p", "ctrl+f", "ctrl+w", "ctrl+q", "alt+f4", "enter", "escape", "tab", "f1", "f2", "f5", "f11", "ctrl+shift+s", "ctrl+shift+t", "delete", "ctrl+home", "ctrl+end", "pageup", "pagedown", "alt+tab", "ctrl+plus", "up", "down", "left", "right", "space", "backspace", "home", "end", "shift+tab", "ctrl+b", "ctrl+x", "ctrl+t", "alt+left"]

GROUNDING = {
    "button": ["Click the {} button", "Click {}", "Press {}", "Press the {} button", "Click on {}", "Push the {} button", "Hit {}", "Left click {}"],
    "field": ["Click the {} field", "Click on the {} text field", "Focus the {} field", "Put the cursor in the {} field", "Click the {} input", "Click the text box labelled {}", "Select the {} text box", "Click into {}", "Click into {}", "Click into the {} field", "Click in {}", "Click inside the {} box", "Place the cursor in {}", "Set the focus to {}", "Activate the {} field", "Go to the {} field", "Move to the {} field and click it"],
    "combo": ["Click the {} dropdown", "Open the {} dropdown", "Click the {} combo box", "Open the {} list", "Open the {} drop-down", "Click the {} drop-down list", "Expand {}", "Show the choices of {}", "Unfold the {} box"],
    "check": ["Click the {} checkbox", "Check {}", "Tick {}", "Uncheck {}", "Toggle {}", "Toggle the {} checkbox", "Click the check box {}", "Click on the {} option", "Change the state of {}", "Click the box for {}"],
    "switch": ["Toggle {}", "Click the {} switch", "Flip the {} switch", "Turn {} on", "Turn {} off", "Click {}", "Click on {}", "Switch {}"],
    "radio": ["Select {}", "Choose {}", "Click the {} radio button", "Select the {} option", "Click the option {}", "Click {}", "Pick {}"],
    "menu": ["Open the {} menu", "Click the {} menu", "Click {} in the menu bar", "Click {}"],
    "menuitem": ["Click {}", "Choose {} in the menu", "Select {} from the menu", "Click the {} menu item"],
    "listitem": ["Select {}", "Click {} in the list", "Select {} in the list", "Choose {}", "Click the item {}", "Click {}", "Pick {} in the list"],
    "tab": ["Switch to the {} tab", "Click the {} tab", "Open the tab {}", "Go to the {} tab", "Show the {} tab", "Bring up the {} page"],
    "link": ["Click the {} link", "Follow the link {}", "Click {}", "Open {}"],
    "cell": ["Click {}", "Click the cell {}", "Click on {}"],
    "header": ["Click the column {}", "Sort by {}", "Click the {} header"],
    "label": ["Click on the text {}", "Click {}"],
    "task": ["Click {} in the taskbar", "Click {}", "Switch to {}"],
    "icon": ["Click the {} icon", "Click {}", "Select {}"],
    "slider": ["Click the {} slider", "Point at the {} slider"],
}
for _same, _as in (("spin", "field"), ("treeitem", "listitem"), ("heading", "label")):
    GROUNDING[_same] = GROUNDING[_as]
WINDOW_BUTTONS = {
    "close": ["Close the window", "Click the close button of the window", "Click the X to close the window", "Close this window", "Click the window's close button"],
    "maximize": ["Maximize the window", "Click the maximize button", "Make the window full size"],
    "minimize": ["Minimize the window", "Click the minimize button", "Hide the window with its minimize button"],
}
HINTS = ["Click the {} button", "Click the {} icon", "Press the {} icon in the tool bar", "Click on the {} symbol"]

SYNONYMS = {  # a label on the screen (lower case): what a task may call it
    "email": ["e-mail", "mail", "email address", "mail address"], "email address": ["e-mail", "email", "mail address", "e-mail address"], "e-mail": ["email", "mail", "email address"],
    "phone": ["telephone", "phone number", "telephone number"], "phone number": ["phone", "telephone", "telephone number", "tel"], "telephone": ["phone", "phone number"], "mobile": ["cell phone", "mobile phone", "mobile number"],
    "first name": ["given name", "forename"], "last name": ["surname", "family name"], "surname": ["last name", "family name"], "full name": ["complete name", "name"],
    "username": ["user name", "login name", "user"], "user name": ["username", "login name", "user"], "password": ["pass word", "pwd", "passphrase"],
    "zip code": ["zip", "postal code", "postcode"], "zip": ["zip code", "postal code", "postcode"], "postal code": ["postcode", "zip code", "zip"],
    "date of birth": ["birth date", "birthday", "dob"], "birthday": ["date of birth", "birth date"], "start date": ["first day", "beginning date", "date it starts"], "end date": ["last day", "closing date", "date it ends"],
    "city": ["town"], "country": ["nation"], "street": ["road", "street name"], "company": ["firm", "employer"], "organization": ["organisation", "company"], "quantity": ["number of items", "qty", "count"], "amount": ["sum"], "price": ["cost"],
    "website": ["web site", "homepage", "web page"], "url": ["web address", "link address"], "host": ["host name", "hostname"], "hostname": ["host name", "host"], "comments": ["remarks", "comment"], "comment": ["remark"], "notes": ["remarks", "annotations"],
    "description": ["details text", "explanation"], "color": ["colour"], "colors": ["colours"], "job title": ["position", "profession"], "department": ["division", "dept"], "file name": ["filename", "name of the file"], "language": ["tongue", "lang"],
    "address": ["postal address", "street address"], "message": ["text of the message", "msg"], "subject": ["topic"], "number of guests": ["guests"], "guests": ["number of guests"], "card number": ["credit card number"], "expiry": ["expiration date", "expiry date"],
    "save": ["save button"], "cancel": ["cancel button"], "log in": ["login", "sign in"], "login": ["log in", "sign in"], "sign in": ["log in", "login"], "log out": ["logout", "sign out"], "sign up": ["register", "create an account"], "register": ["sign up"],
    "ok": ["okay", "ok button"], "remember me": ["remember my login", "stay signed in"], "keep me signed in": ["stay logged in", "remember me"], "delete": ["erase"], "quit": ["exit"], "exit": ["quit"], "search": ["find"], "find": ["search"], "browse…": ["browse"], "save as…": ["save as"], "save as...": ["save as"],
    "preferences": ["settings"], "settings": ["preferences", "options"], "options": ["preferences"], "next": ["continue"], "continue": ["proceed"], "submit": ["send the form", "send off"], "dark mode": ["dark theme"], "newsletter": ["news letter"], "notifications": ["notices", "alerts"],
    "i agree to the terms": ["agree to the terms", "accept the terms", "terms"], "subscribe to newsletter": ["newsletter"], "show hidden files": ["hidden files"], "start at login": ["autostart", "start automatically"], "check for updates": ["updates", "update check"], "gift wrap": ["wrap as a gift", "gift wrapping"],
    "express shipping": ["fast shipping", "express delivery"], "airplane mode": ["flight mode"], "wi-fi": ["wifi", "wireless network"], "automatic updates": ["auto updates"], "full screen": ["fullscreen"], "volume": ["loudness", "sound level"], "brightness": ["screen brightness"], "delivery date": ["date of delivery"],
    "word wrap": ["line wrapping"], "line numbers": ["numbers of lines"], "spell check": ["spelling check", "spellcheck"], "case sensitive": ["match case"], "match case": ["case sensitive"], "order number": ["order no", "number of the order"], "invoice number": ["invoice no"], "refresh": ["reload"], "reload": ["refresh"],
}
