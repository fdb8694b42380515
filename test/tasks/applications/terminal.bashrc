# What the shell in the terminal was told: number, exit code and text of each command, one record after the other.
PS1='$ '
HISTCONTROL=
HISTFILE=
PROMPT_COMMAND='printf "%s\t%s\n\0" "$?" "$(HISTTIMEFORMAT= history 1)" >> "$WORKBENCH_RECORD"'
bind 'set enable-bracketed-paste off' 2>/dev/null
