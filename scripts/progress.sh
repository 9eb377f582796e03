# Sourced by scripts/build and scripts/setup.
#
# with_progress DESCRIBE COMMAND...
#   Runs COMMAND and says meanwhile on stderr what DESCRIBE prints, and for how long it has gone on: on a terminal in one line
#   that is renewed each second, elsewhere (a log) as a line every 15 seconds. What takes less stays silent.
#   The exit status is COMMAND's.
with_progress() {
  local describe=$1 code=0 fd reporter
  shift
  # The reporter sleeps in a read of this pipe. It ends when the last writer does: also when this script is killed.
  exec {fd}> >(report_until_closed "$describe")
  reporter=$!
  "$@" {fd}>&- || code=$?
  exec {fd}>&-
  wait "$reporter" || true
  return "$code"
}

report_until_closed() {
  local describe=$1 began=$SECONDS every=15 got text
  trap '' INT  # Ctrl-C is for the command; the reporter ends with the pipe
  [[ -t 2 ]] && every=1
  while true; do
    got=0
    read -rt "$every" || got=$?
    ((got > 128)) || break  # 1: closed. Above 128: the time is up
    text="$("$describe"), $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
    if [[ -t 2 ]]; then printf '\r%s\e[K' "${text:0:${COLUMNS:-100}}" >&2; else printf '%s\n' "$text" >&2; fi
  done
  [[ ! -t 2 ]] || printf '\r\e[K' >&2
}
