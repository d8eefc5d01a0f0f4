#!/bin/sh
nonce=$(printf %s "$QUERY_STRING" | tr -cd 'A-Za-z0-9_-')
printf 'Content-Type: text/html\r\n\r\n<!doctype html><title>%s</title><h1>%s</h1><p>nonce: %s</p><pre>%s</pre>\n' \
  "$(hostname)" "$(hostname)" "$nonce" "$(ip -o addr)"
