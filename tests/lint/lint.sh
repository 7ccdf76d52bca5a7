# SPDX-License-Identifier: BSD-2-Clause
#
# lint.sh - what the lints written in shell have in common: sourced by them
#
# A lint takes the root of a source tree (default: its own) and prints TAP.

lint_dir=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${1:-$lint_dir/../..}" && pwd) || exit 2
tmp=$(mktemp -d "${TMPDIR:-/tmp}/lint.XXXXXX") || exit 2
trap 'rm -rf "$tmp"' EXIT
lint_nr=0 lint_failed=0
jobs=${IOMMUABS_JOBS:-2}

# report RULE [FILE]: FILE holds the violations, one a line
report() {
	lint_nr=$((lint_nr + 1))
	if [ -s "${2:-/dev/null}" ]; then
		lint_failed=$((lint_failed + 1))
		echo "not ok $lint_nr - $1"
		head -n 60 "$2" | sed 's/^/#   /'
	else
		echo "ok $lint_nr - $1"
	fi
}

skip() { # RULE, WHY
	lint_nr=$((lint_nr + 1))
	echo "ok $lint_nr - $1 # SKIP $2"
}

finish() {
	echo "1..$lint_nr"
	[ "$lint_failed" = 0 ]
	exit
}

# list_of VARIABLE: what iommuabs.mk says
list_of() {
	printf 'include %s/iommuabs.mk\nall:\n\t@printf "%%s\\n" $(%s)\n' \
		"$root" "$1" | make -s -f -
}

# Lets each word-per-line item of stdin through `sh -c SCRIPT item`, in parallel
# and with the item's output kept together.
each() {
	xargs -r -n 1 -P "$jobs" sh -c 'out=$('"$1"' 2>&1)
		[ -z "$out" ] || printf "%s\n" "$out"'
}
