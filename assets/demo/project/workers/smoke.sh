#!/bin/sh
# Sells one thing at each desk.
for desk in front back garden; do
  printf 'sell 1 × pear at %-7s ' "$desk"
  sleep 0.6
  printf '\033[32m0.49 paid\033[0m\n'
done
