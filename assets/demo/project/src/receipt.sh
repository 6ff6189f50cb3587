#!/bin/sh
# Prints a receipt for lines "NAME CENTS" on standard input.
total=0
while read -r name cents; do
  printf '%-24s %6d.%02d\n' "$name" $((cents / 100)) $((cents % 100))
  total=$((total + cents))
done
printf '%-24s %6d.%02d\n' TOTAL $((total / 100)) $((total % 100))
