#!/bin/sh
# GET /cgi-bin/echo?NONCE answers "NONCE hostname", which no cache or other machine could have guessed.
nonce=$(printf %s "$QUERY_STRING" | tr -cd 'A-Za-z0-9_-')
printf 'Content-Type: text/plain\r\n\r\n%s %s\n' "$nonce" "$(hostname)"
echo "QLAUNCH-GUEST served $nonce to $REMOTE_ADDR" >/dev/console
