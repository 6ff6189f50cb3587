#!/bin/sh
# Pretends to roll a bundle out to three desks.
for desk in front back garden; do
  printf 'desk %-7s stopping … ' "$desk"
  sleep 0.7
  printf 'copying … '
  sleep 0.9
  printf '\033[32mstarted\033[0m\n'
done
