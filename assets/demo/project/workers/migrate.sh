#!/bin/sh
# A migration check that fails, as they do.
printf 'checking 3 migrations against a copy of the shop database\n'
sleep 0.6
printf '  001_products   \033[32mok\033[0m\n'
sleep 0.6
printf '  002_refunds    \033[32mok\033[0m\n'
sleep 0.8
printf '  003_vat_total  \033[31mfailed\033[0m\n'
printf '\033[1;31merror:\033[0m column "vat_total" holds 12 empty values and is declared NOT NULL\n' >&2
printf '  hint: fill the column before the constraint is added (workers/migrate.sh, line 12)\n' >&2
exit 3
