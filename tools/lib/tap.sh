# SPDX-License-Identifier: BSD-2-Clause
#
# tap.sh - one TAP stream made of many: sourced by tools/test and tools/demo
#
# Results go to stdout, what is being done to stderr.

tap_nr=0 tap_passed=0 tap_failed=0 tap_skipped=0

tap_say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

tap_pass() { # NAME
	tap_nr=$((tap_nr + 1)) tap_passed=$((tap_passed + 1))
	echo "ok $tap_nr - $1"
}

tap_fail() { # NAME [FILE]: its first errors and its end say why
	tap_nr=$((tap_nr + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_nr - $1"
	if [ -n "${2-}" ]; then
		{
			head -n -30 "$2" | grep -i 'error' |
				head -n 15
			tail -n 30 "$2"
		} | sed 's/^/#   | /'
	fi
}

tap_skip() { # NAME, WHY
	tap_nr=$((tap_nr + 1)) tap_skipped=$((tap_skipped + 1))
	echo "ok $tap_nr - $1 # SKIP $2"
}

tap_result() { # STATUS, NAME [FILE]
	if [ "$1" -eq 0 ]; then
		tap_pass "$2"
	else
		tap_fail "$2" "${3-}"
	fi
}

# tap_merge PREFIX FILE STATUS: the TAP that another program printed. That its
# plan, its results and its exit status agree is a result as well.
tap_merge() {
	tap_merged=$(mktemp) || exit 2
	awk -v prefix="$1" -v status="$3" -v nr="$tap_nr" \
		-v counts="$tap_merged" '
	function complain(text) { why = why "#   " text "\n" }
	BEGIN { plan = -1; results = passed = failed = skipped = 0 }
	/^1\.\.[0-9]+/ {
		if (plan >= 0)
			complain("a second plan")
		plan = substr($0, 4) + 0
		next
	}
	/^(not )?ok( |$)/ {
		ok = !/^not/
		sub(/^(not )?ok *[0-9]* *(- *)?/, "")
		results++
		nr++
		print (ok ? "ok " : "not ok ") nr " - " prefix ": " $0
		if (!ok)
			failed++
		else if (/# SKIP/)
			skipped++
		else
			passed++
		next
	}
	/^Bail out!/ { complain($0) }
	/^#/ { print; next }
	/^[0-9]+ passed, [0-9]+ failed/ { next }
	{ if ($0 != "") print "# " $0 }
	END {
		if (plan < 0)
			complain("no plan")
		else if (plan != results || !plan)
			complain("planned " plan ", reported " results)
		if ((status == 0) != (failed == 0))
			complain("exit status " status " with " failed " failed")
		if (status == 124)
			complain("killed by its time limit")
		nr++
		print (why == "" ? "ok " : "not ok ") nr " - " prefix \
		    ": plan, results and exit status agree"
		printf "%s", why
		if (why == "")
			passed++
		else
			failed++
		print nr, passed, failed, skipped > counts
	}' "$2"
	tap_count "$tap_merged"
}

# tap_adopt FILE: what was printed by the functions above in another process, as
# results of this one.
tap_adopt() {
	tap_merged=$(mktemp) || exit 2
	awk -v nr="$tap_nr" -v counts="$tap_merged" '
	/^(not )?ok / {
		if (/^not/)
			failed++
		else if (/# SKIP/)
			skipped++
		else
			passed++
		sub(/ok [0-9]+/, "ok " ++nr)
	}
	{ print }
	END { print nr, passed + 0, failed + 0, skipped + 0 > counts }' "$1"
	tap_count "$tap_merged"
}

# tap_count FILE: the number reached, and how many were added of each kind
tap_count() {
	read -r tap_nr tap_p tap_f tap_s <"$1"
	rm -f "$1"
	tap_passed=$((tap_passed + tap_p)) tap_failed=$((tap_failed + tap_f))
	tap_skipped=$((tap_skipped + tap_s))
}

tap_save() { # FILE
	echo "$tap_nr $tap_passed $tap_failed $tap_skipped" >"$1"
}

tap_load() { # FILE
	read -r tap_nr tap_passed tap_failed tap_skipped <"$1"
}

# Prints plan and total; its status is the program's.
tap_finish() {
	if [ "$tap_nr" -eq 0 ]; then
		tap_fail "nothing was run"
	fi
	echo "1..$tap_nr"
	if [ "$tap_skipped" -gt 0 ]; then
		echo "$tap_passed passed, $tap_failed failed," \
			"$tap_skipped skipped"
	else
		echo "$tap_passed passed, $tap_failed failed"
	fi
	[ "$tap_failed" -eq 0 ]
}
