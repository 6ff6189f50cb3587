#!/bin/sh
# Works through a list of receipts: a steady stream of lines.
i=0
while [ "$i" -lt 120 ]; do
  i=$((i + 1))
  net=$((i * 137 % 9973))
  printf 'receipt %04d  net %5d  gross \033[33m%5d\033[0m\n' "$i" "$net" "$(sh src/price.sh "$net" 19)"
  sleep 0.08
done
echo "12 receipts differ by one cent; the rounding is to blame"
