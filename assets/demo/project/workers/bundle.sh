#!/bin/sh
# A build with a progress line that is overwritten in place.
set -eu
echo "collecting sources"
sleep 0.5
done_parts=0
while [ "$done_parts" -lt 60 ]; do
  done_parts=$((done_parts + 1))
  bar=$(printf "%${done_parts}s" '' | tr ' ' '#')
  printf '\r\033[36mbundling\033[0m [%-60s] %3d%%' "$bar" $((done_parts * 100 / 60))
  [ $((done_parts % 20)) -eq 0 ] && printf '\nnote: part %d is larger than last time\n' "$done_parts" >&2
  sleep 0.15
done
printf '\n'
mkdir -p dist
printf 'till 1.4.0\n' > dist/till.bundle
echo "wrote dist/till.bundle"
