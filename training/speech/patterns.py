"""Wordings of commands and sentences; {name} is filled by `texts`."""

from __future__ import annotations


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


COMMANDS = _lines("""
press {button}
press the {button} button
press the {button} button
click {any}
click {any}
click on {any}
click the {button} button
click the {link} link
click the {tab} tab
click the {nth} button
click the {nth} item in the list
click the button next to {field}
click the button below {field}
push {button}
hit the {button} button
tap {button}
double click {any}
double click the file {file}
right click {any}
right click on {file}
select {option}
select {option} from the {field} list
select {value} for {field}
select all
select all text in the {field} field
select the {nth} row
select the {nth} check box
choose {option}
choose {option} for {field}
choose {menuitem} from the {menu} menu
choose {menuitem} in the {menu} menu
choose {value} in the {field} list
open the {menu} menu
open the {menu} menu and choose {menuitem}
open the {menu} menu and choose {menuitem}
open the {menu} menu and click {menuitem}
open {file}
open the file {file}
open the {any} window
open the {tab} tab
open {title}
open a new tab
open a new window
open the web browser
open the settings
go to the {tab} tab
go to the {menu} menu
go to {link}
go back
go forward
go home
switch to the {tab} tab
switch to the {title} window
switch to {title}
type {value} in the {field} field
type {value} in the {field} field
type {value} in the {field} field
type {value} into {field}
type {value}
type {value}
type {words}
type the text {words}
type hello world in the {field} field
type {email} in the {field} field
type {date} in the {field} field
enter {value} in {field}
enter {value} in the {field} field
enter {value} as {field}
enter {person} as the {field}
enter the number {number}
enter the code {number}
write {words} in the {field} field
write {value} into {field}
fill in {value} for {field}
fill in the {field} field with {value}
put {value} in the {field} field
set {field} to {value}
set {field} to {value}
set the {field} to {value}
set {field} to {number}
set {field} to {date}
set the {field} to {time}
set the {field} slider to {n}
set the volume to {n}
change {field} to {value}
change {field} from {value} to {value}
change the {field} to {number}
replace {value} with {value}
clear the {field} field
clear {field}
check {check}
check {check}
check the {check} box
tick {check}
tick the {check} check box
uncheck {check}
untick {check}
turn on {check}
turn off {check}
turn {check} on
turn {check} off
enable {check}
disable {check}
activate {check}
deactivate {check}
toggle {check}
press {key}
press {key}
press {key}
press the {key} key
press {key} twice
hold {key}
scroll down
scroll up
scroll down
scroll to the top
scroll to the bottom
scroll down {n} lines
scroll left
scroll right
scroll to {any}
scroll down until you see {any}
stop
stop it
stop listening
cancel
cancel that
undo that
undo
redo
wait
wait {n} seconds
wait a moment
pause
continue
resume
try again
start over
yes
no
okay
close the window
close this window
close {title}
close the {any} dialog
close the tab
close all windows
minimize the window
maximize the window
move the window to the left
move {file} to the folder {word}
drag {file} to {any}
drag the {field} slider to {n}
copy
copy {file}
copy that
paste
paste it into {field}
cut
delete {file}
delete the {nth} row
delete the last word
delete that
rename {file} to {file}
save
save the file
save the file as {file}
save it as {file}
save the document
print the document
print {n} pages
search for {value}
search for {words}
find {value}
find the word {word}
look for {person}
read the {field} field
read the {nth} line
read the title
read the message aloud
what is in the {field} field
what does the {nth} line say
what is the title of the window
is {check} checked
is {check} on
which tab is open
show {any}
show me {any}
show the {tab} tab
show the desktop
hide {any}
start {title}
launch {title}
run {title}
quit {title}
exit
log in as {person}
log out
sign in with {email}
send a message to {person}
send an email to {email}
call {person}
reply to {person}
add {person} to the list
add {value} to {field}
remove {person}
remove {value} from the list
create a new folder
create a new folder called {word}
create an appointment on {date} at {time}
remind me on {day} at {time}
set an alarm for {time}
book a room for {n} guests
book a flight to {city}
order {n} of them
zoom in
zoom out
zoom to {n} percent
mute the sound
turn the volume up
turn the volume down
take a screenshot
lock the screen
expand {any}
collapse {any}
sort by {field}
filter by {option}
dismiss the {any} dialog
dismiss the message
confirm with {button}
finish with {button}
submit the form
fill in the form
refresh the page
reload the page
play
play {words}
next
previous
new line
new paragraph
""")

SPELLED = _lines("""
{spelled}
{spelled}
{spelled}, {spelled}
type {spelled}
spell {spelled}
type the letters {spelled}
type {spelled} in the {field} field
enter {spelled} in the {field} field
enter the code {spelled}
my name is {name}, {spelled}
{name}, {spelled}
the {field} is {spelled}
set {field} to {spelled}
it is spelled {spelled}
""")

PLAIN = _lines("""
My name is {person}.
{person} lives in {city}.
I was born on {date}.
The meeting is on {day} at {time}.
We meet on {day} in {city}.
It costs {number}.
There are {n} people in the room.
The train to {city} leaves at {time}.
What time is it?
Where is the {word}?
Can you tell me what is on the screen?
How do I get to {city}?
The weather in {city} is nice today.
I would like a cup of tea and a piece of cake.
Please call {person} on {day}.
Did {person} write to you?
{person} and {person} are friends.
I don't know what that means.
That's all for today.
It's too late to change the {word}.
He said that he would come back on {day}.
She has a {word} and a {word}.
Thank you very much.
Good morning, {person}.
Hello, this is {person}.
The {word} is next to the {word}.
I can't find the {word}.
You shouldn't do that.
We've been waiting for {n} minutes.
They didn't see the {word} in the {word}.
Why did the {word} stop working?
Who is {person}?
The answer is {number}.
My address is {n} {name} Street in {city}.
My phone number is {number}.
Send it to {email}.
""")

PEOPLE = """James Robert Michael William Richard Joseph Thomas Charles Christopher Matthew Anthony Mark Steven Andrew Joshua Kenneth Kevin Brian George Timothy
Ronald Edward Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott Brandon Benjamin Samuel Gregory Alexander Patrick Raymond Jerry
Tyler Aaron Adam Nathan Douglas Zachary Kyle Walter Ethan Jeremy Harold Keith Christian Roger Terry Sean Gerald Carl Arthur Lawrence Dylan Jesse Jordan Bryan
Patricia Jennifer Linda Elizabeth Susan Jessica Sarah Karen Lisa Nancy Betty Sandra Ashley Kimberly Emily Donna Michelle Carol Amanda Dorothy Melissa
Deborah Stephanie Rebecca Sharon Laura Cynthia Amy Kathleen Angela Shirley Brenda Pamela Nicole Samantha Katherine Christine Helen Debra Rachel Carolyn Janet
Catherine Maria Heather Diane Ruth Julie Joyce Virginia Victoria Kelly Lauren Christina Joan Evelyn Judith Andrea Hannah Megan Cheryl Jacqueline Martha Gloria
Teresa Ann Sara Madison Frances Kathryn Janice Jean Abigail Julia Judy Sophia Isabella Charlotte Amelia Marilyn Beverly Theresa Diana Natalie Brittany Doris
Oliver Oscar Leo Archie Theo Freddie Alfie Isaac Lucas Edgar Felicity Florence Poppy Harriet Matilda Phoebe Imogen Beatrice Eleanor Rosalind Philippa Gemma""".split()

SURNAMES = """Williams Rodriguez Hernandez Lopez Gonzalez Perez Sanchez Ramirez Allen Hill Flores Rivera Campbell Gomez Diaz Reyes Morris Morales Murphy Cook Rogers
Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Howard Ramos Cox Ward Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez
Castillo Sanders Myers Long Ross Foster Jimenez Powell Jenkins Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Gonzales Fisher Vasquez Simmons Graham
Murray Ford Castro Marshall Owens Harrison Fernandez Woods Washington Kennedy Wells Vargas Henry Chen Freeman Webb Tucker Guzman Burns Crawford Olson Simpson Porter
Hunter Gordon Mendez Silva Shaw Snyder Mason Dixon Munoz Hunt Hicks Holmes Palmer Wagner Black Robertson Boyd Stone Salazar Fox Warren Mills Meyer Rice Schmidt
Garza Daniels Ferguson Nichols Stephens Soto Weaver Ryan Gardner Payne Grant Dunn Kelley Spencer Hawkins Arnold Pierce Hansen Peters Santos Hart Bradley Knight
Elliott Cunningham Duncan Armstrong Hudson Carroll Lane Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman Johnston Matthews Pena Richards Contreras Willis
Carpenter Lawrence Sandoval Guerrero George Chapman Rios Estrada Ortega Watkins Greene Nunez Wheeler Valdez Harper Burke Larson Santiago Maldonado Morrison Franklin""".split()
"""Frequent ones of the United States' census of 2010."""
