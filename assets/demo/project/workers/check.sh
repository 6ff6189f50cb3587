#!/bin/sh
# Checks the scripts in src/: they parse, and a receipt adds up.
set -eu
for script in src/*.sh; do
  sh -n "$script" && echo "parses: $script"
done
printf 'tea 250\nbread 320\n' | sh src/receipt.sh | grep -q '5.70' && echo 'a receipt adds up'
