# sh noted.sh FILE COMMAND…: what the command writes to its standard error goes to the file, and is shown if it fails.
note=$1
shift
"$@" 2>"$note" || { cat "$note" >&2; exit 1; }
