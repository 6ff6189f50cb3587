#!/bin/sh
# A test run: colours, one slow test, a warning on standard error.
bold='\033[1m' green='\033[32m' dim='\033[2m' off='\033[0m'
printf "${bold}running 48 tests${off}\n"
n=0
for group in price receipt refund drawer stock login; do
  for case in empty one_line many_lines rounding unicode zero negative limit; do
    n=$((n + 1))
    printf "test %s::%-12s ... ${green}ok${off} ${dim}(%d ms)${off}\n" "$group" "$case" $((n * 7 % 40 + 3))
    [ "$group::$case" = stock::limit ] && sleep 2
    sleep 0.12
  done
  [ "$group" = drawer ] && echo "warning: drawer::limit used the system clock" >&2
done
printf "\n${green}${bold}48 passed${off}, 0 failed\n"
