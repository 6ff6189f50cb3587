#!/bin/sh
# Stands for a coding agent: says what one says, in Claude Code's stream, and really edits the file. No model is asked.
say() { printf '%s\n' "$1"; }
think() {
  say '{"type":"assistant","message":{"id":"'"$1"'","content":[{"type":"thinking","thinking":"'"$2"'"}]},"session_id":"demo"}'
}
text() {
  say '{"type":"assistant","message":{"id":"'"$1"'","content":[{"type":"text","text":"'"$2"'"}]},"session_id":"demo"}'
}
call() {
  say '{"type":"assistant","message":{"id":"'"$1"'","content":[{"type":"tool_use","id":"t'"$1"'","name":"'"$2"'","input":'"$3"'}]},"session_id":"demo"}'
}
result() {
  say '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t'"$1"'","content":"'"$2"'"}]},"tool_use_result":'"${3:-null}"'}'
}

# Sent back by the reviewer: what it found is mended, and nothing else. The cost is the conversation's so far.
mend() {
  sleep 0.6
  think b1 'The reviewer is right: a receipt with one item says 1 lines.'
  sleep 0.8
  text b2 'One item, so one line: the word follows the number now.'
  call b3 Edit '{"file_path":"src/receipt.sh"}'
  sleep 1
  grep -v '^printf .%d lines' src/receipt.sh >.receipt.new
  printf '%s\n' 'word=lines' '[ "$lines" -ne 1 ] || word=line' 'printf '"'"'%d %s\n'"'"' "$lines" "$word"' >>.receipt.new
  cat .receipt.new >src/receipt.sh && rm .receipt.new
  result b3 'The file src/receipt.sh has been updated.' '{"filePath":"src/receipt.sh","structuredPatch":[{"oldStart":10,"oldLines":1,"newStart":10,"newLines":3,"lines":["-printf %d lines","+word=lines","+[ $lines -ne 1 ] || word=line","+printf %d %s"]}]}'
  sleep 0.7
  call b4 Bash '{"command":"make test"}'
  sleep 1.2
  result b4 'parses: src/price.sh\nparses: src/receipt.sh\na receipt adds up'
  sleep 0.5
  text b5 'One line is called one line now, and `make test` passes.'
  say '{"type":"result","subtype":"success","is_error":false,"result":"One line is called one line now, and make test passes.","session_id":"demo","num_turns":3,"usage":{"input_tokens":1890,"cache_read_input_tokens":41200,"output_tokens":388},"total_cost_usd":0.0577}'
}

say '{"type":"system","subtype":"init","session_id":"demo","model":"apprentice-1","tools":["Read","Edit","Bash"]}'
if grep -q lines=0 src/receipt.sh; then
  mend
  exit
fi
sleep 0.6
think a1 'The ticket wants the number of lines below the total.\nThe loop in src/receipt.sh reads one line an item,\nso a counter beside the sum is enough.'
sleep 0.8
text a2 "I'll read the script before I touch it."
call a3 Read '{"file_path":"src/receipt.sh"}'
sleep 0.9
result a3 '#!/bin/sh\ntotal=0\nwhile read -r name cents; do\n  total=$((total + cents))\ndone'
sleep 0.7
call a4 Edit '{"file_path":"src/receipt.sh"}'
sleep 1
sed -e 's/^total=0$/total=0 lines=0/' -e 's/^  total=\$((total + cents))$/&\n  lines=$((lines + 1))/' src/receipt.sh >.receipt.new
printf 'printf '"'"'%%d lines\\n'"'"' "$lines"\n' >>.receipt.new
cat .receipt.new >src/receipt.sh && rm .receipt.new
result a4 'The file src/receipt.sh has been updated.' '{"filePath":"src/receipt.sh","structuredPatch":[{"oldStart":3,"oldLines":5,"newStart":3,"newLines":6,"lines":["-total=0","+total=0 lines=0"," while read -r name cents; do","   total=$((total + cents))","+  lines=$((lines + 1))"," done"]}]}'
sleep 0.8
text a5 'The counter is in. Now the checks of this project.'
call a6 Bash '{"command":"make test"}'
sleep 1.4
result a6 'parses: src/price.sh\nparses: src/receipt.sh\na receipt adds up'
sleep 0.6
text a7 'A receipt now ends with its number of lines, and `make test` passes.'
say '{"type":"result","subtype":"success","is_error":false,"result":"A receipt now ends with its number of lines, and make test passes.","session_id":"demo","num_turns":4,"usage":{"input_tokens":5210,"cache_read_input_tokens":35840,"output_tokens":912},"total_cost_usd":0.0384}'
