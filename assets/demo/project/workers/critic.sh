#!/bin/sh
# Stands for a reviewing agent, in Claude Code's stream: reads the commit that it is asked about, may write nothing, and
# answers with one verdict. What it says of the receipt is true; no model is asked.
say() { printf '%s\n' "$1"; }
text() {
  say '{"type":"assistant","message":{"id":"'"$1"'","content":[{"type":"text","text":"'"$2"'"}]},"session_id":"demo-review"}'
}
call() {
  say '{"type":"assistant","message":{"id":"'"$1"'","content":[{"type":"tool_use","id":"t'"$1"'","name":"Bash","input":{"command":"'"$2"'"}}]},"session_id":"demo-review"}'
  sleep 0.9
  say '{"type":"user","message":{"content":[{"type":"tool_result","tool_use_id":"t'"$1"'","content":"'"$3"'"}]}}'
}
# One finding: severity, whether it blocks, line, reason, what is required (JSON or null).
finding() {
  printf '{"earlier_id":null,"severity":"%s","blocking":%s,"file":"src/receipt.sh","line":%s,"end_line":null,"reason":"%s","required_change":%s,"dimension":"correctness"}' "$@"
}

say '{"type":"system","subtype":"init","session_id":"demo-review","model":"critic-1","tools":["Read","Bash"]}'
sleep 0.7
head=$(git rev-parse HEAD)
ticket=$(git symbolic-ref --short HEAD)
text c1 'I read what changed before I look at the words of whoever changed it.'
call c2 'git diff --stat main' 'src/receipt.sh'
call c3 'printf \"pear 120\\n\" | sh src/receipt.sh' "$(printf 'pear 120\n' | sh src/receipt.sh | tail -n 1)"
sleep 0.6
line=$(grep -n '^total=0 lines=0' src/receipt.sh | cut -d: -f1)
findings=$(finding low false "${line:-1}" 'two assignments in one line are easy to overlook' null)
if [ "$(printf 'pear 120\n' | sh src/receipt.sh | tail -n 1)" = '1 line' ]; then
  decision=approve
  summary='The number of lines is right, and one line is called one line.'
else
  decision=changes_required
  summary='The number is right; its word is not, for a receipt with one item.'
  line=$(grep -n '%d lines' src/receipt.sh | cut -d: -f1)
  findings="$(finding high true "${line:-1}" 'a receipt with one item ends with 1 lines' '"Say 1 line where there is one"'),$findings"
fi
text c4 "$summary"
say '{"type":"result","subtype":"success","is_error":false,"result":"'"$summary"'","structured_output":{"ticket":"'"${ticket##*/}"'","head":"'"$head"'","decision":"'"$decision"'","summary":"'"$summary"'","findings":['"$findings"']},"session_id":"demo-review","num_turns":3,"usage":{"input_tokens":2840,"cache_read_input_tokens":9120,"output_tokens":410},"total_cost_usd":0.0121}'
