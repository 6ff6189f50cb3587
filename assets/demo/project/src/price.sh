#!/bin/sh
# Adds VAT to a net price in cents: price.sh NET PERCENT
net=$1
percent=$2
# TILL-020: rounds every line; must round the total once.
echo $(( net + (net * percent + 50) / 100 ))
