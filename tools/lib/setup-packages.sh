# SPDX-License-Identifier: BSD-2-Clause
#
# setup-packages.sh - Debian packages that are missing: sourced by tools/test

# setup_packages PACKAGE...: installs what is missing, by apt, as root or by
# sudo. 0: all are there.
setup_packages() {
	if ! command -v dpkg-query >/dev/null; then
		echo "not a Debian system: taking for granted: $*" >&2
		return 0
	fi
	setup_missing=
	for setup_package; do
		case $(dpkg-query -W -f='${db:Status-Status}\n' \
			"$setup_package" 2>/dev/null) in
		installed) ;;
		*) setup_missing="$setup_missing $setup_package" ;;
		esac
	done
	[ -n "$setup_missing" ] || return 0
	if [ "$(id -u)" -eq 0 ]; then
		setup_root=
	elif command -v sudo >/dev/null; then
		setup_root=sudo
	else
		echo "missing packages, and neither root nor sudo to install" \
			"them. As root, run: apt-get install$setup_missing" >&2
		return 1
	fi
	echo "installing$setup_missing" >&2
	setup_log=$(mktemp) || return 1
	# Lists of words, meant to be split.
	# shellcheck disable=SC2086
	{
		$setup_root env DEBIAN_FRONTEND=noninteractive apt-get -q update &&
			$setup_root env DEBIAN_FRONTEND=noninteractive \
				apt-get -q -y install --no-install-recommends \
				$setup_missing
	} >"$setup_log" 2>&1
	setup_status=$?
	[ "$setup_status" -eq 0 ] || tail -n 20 "$setup_log" >&2
	rm -f "$setup_log"
	return "$setup_status"
}
