"""One probe a toolkit: walks the widgets of a running application and reports box, name, state and value of each."""
