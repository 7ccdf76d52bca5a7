#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Makes sure that what builds and boots the examples is there: QEMU with a stage-2
# SMMUv3 (>= 9.1), the same for x86-64, a cross compiler, the machine's own, make,
# and xz, which libfdt's sources are packed with. Run it, or source it and call
# setup_qemu. It is quick and silent when nothing is missing.
#
# The machine's own apt configuration and package lists are not touched: the
# packages come through a private copy of the sources, with Debian's backports
# added where the release's own QEMU is too old.

SETUP_QEMU_LEAST=9.1
SETUP_QEMU_MIRROR=${IOMMUABS_DEBIAN_MIRROR:-http://deb.debian.org/debian}

setup_say() {
	printf 'setup-qemu: %s\n' "$*" >&2
}

# version_at_least HAVE LEAST
version_at_least() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

qemu_is_new_enough() { # ARCHITECTURE
	have=$("qemu-system-$1" --version 2>/dev/null |
		sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
	[ -n "$have" ] && version_at_least "$have" "$SETUP_QEMU_LEAST"
}

# Debian's compilers only recommend the libc that they need to link at all.
links() { # COMPILER
	echo 'int main(void) { return 0; }' |
		"$1" -x c -o /dev/null - 2>/dev/null
}

list_missing() {
	missing=
	qemu_is_new_enough aarch64 || missing="$missing qemu-system-arm"
	qemu_is_new_enough x86_64 || missing="$missing qemu-system-x86"
	links aarch64-linux-gnu-gcc ||
		missing="$missing gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
	links cc || missing="$missing gcc libc6-dev"
	command -v make >/dev/null || missing="$missing make"
	command -v xz >/dev/null || missing="$missing xz-utils"
}

# become_root COMMAND...: run it as root, or say why that cannot be.
become_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		setup_say "neither root nor sudo here. As root, run:" \
			"apt-get install$missing"
		setup_say "(QEMU has to be $SETUP_QEMU_LEAST or newer;" \
			"on Debian 12: -t bookworm-backports)"
		return 1
	fi
}

# private_apt DIR COMMAND...: apt with sources and lists from under DIR.
private_apt() {
	dir=$1
	shift
	become_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$dir/sources" \
		-o Dir::State::Lists="$dir/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@"
}

# apt_candidate DIR PACKAGE: the upstream version apt would install.
apt_candidate() {
	apt-cache -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$1/sources" \
		-o Dir::State::Lists="$1/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		policy "$2" |
		sed -n 's/^ *Candidate: *\([0-9]*:\)\{0,1\}\([0-9.]*\).*/\2/p'
}

copy_sources() {
	mkdir -p "$1/sources" "$1/lists/partial"
	chmod -R a+rX "$1"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		/etc/apt/sources.list.d/*.sources; do
		if [ -s "$file" ]; then
			cp "$file" "$1/sources/" || return 1
		fi
	done
}

add_backports() {
	# shellcheck disable=SC1091
	release=$(. /etc/os-release && [ "$ID" = debian ] &&
		echo "$VERSION_CODENAME")
	if [ -z "$release" ]; then
		setup_say "this system's QEMU is older than $SETUP_QEMU_LEAST" \
			"and it is not a Debian: install a newer one by hand"
		return 1
	fi
	cat >"$1/sources/backports.sources" <<-END
		Types: deb
		URIs: $SETUP_QEMU_MIRROR
		Suites: $release-backports
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
}

setup_install() {
	copy_sources "$1" && private_apt "$1" update || return 1
	target=
	case $missing in
	*qemu-system-*)
		# All of one version, so any that is missing tells.
		package=${missing#*qemu-system-}
		candidate=$(apt_candidate "$1" "qemu-system-${package%% *}")
		if ! version_at_least "${candidate:-0}" "$SETUP_QEMU_LEAST"
		then
			add_backports "$1" && private_apt "$1" update ||
				return 1
			target="-t $release-backports"
		fi
		;;
	esac
	# Two lists of words, meant to be split.
	# shellcheck disable=SC2086
	private_apt "$1" install --no-install-recommends $target $missing
}

setup_qemu() {
	list_missing
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null; then
		setup_say "no apt here; install by hand:$missing"
		return 1
	fi
	become_root true || return 1
	setup_say "installing$missing"
	setup_dir=$(mktemp -d) || return 1
	setup_install "$setup_dir" >"$setup_dir/log" 2>&1
	status=$?
	setup_wanted=$missing
	list_missing
	if [ "$status" -eq 0 ] && [ -z "$missing" ]; then
		setup_say "$(qemu-system-aarch64 --version | head -n 1)"
	else
		tail -n 20 "$setup_dir/log" >&2
		setup_say "could not install${missing:-$setup_wanted}"
		status=1
	fi
	become_root rm -rf "$setup_dir"
	return "$status"
}

case ${0##*/} in
setup-qemu.sh) setup_qemu ;;
esac
