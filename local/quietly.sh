#!/bin/sh
# Runs a Python program that hears interrupts itself, and spares it those of the moment before it does.
#
# An interrupted Python that is still starting shows a traceback. A job in the background ignores SIGINT (POSIX), until
# the program says otherwise; SIGTERM, which it is sent instead, ends it without a word.
"$@" &
program=$!
interrupted=
trap 'interrupted=yes; kill "$program" 2>/dev/null' INT TERM HUP
wait "$program"
status=$?
# An interrupt ends `wait`, but not yet the program.
while [ "$interrupted" ]; do
    interrupted=
    wait "$program"
    status=$?
done
exit "$status"
