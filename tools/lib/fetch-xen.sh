#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Usage: fetch-xen.sh OUTDIR
#
# Puts into OUTDIR what tools/xen-demo boots, as Debian has it: xen.tar.xz (sources
# of Xen, upstream's), linux.deb (an arm64 kernel) and busybox.deb (static, arm64).
# apt verifies them; it needs no root, and the machine's own apt configuration and
# lists are not touched. What is there already is not fetched again.
#
# IOMMUABS_XEN_SUITES are the releases whose Xen will do, the best first: a mirror
# may lack the file that its index names.

set -eu

mirror=${IOMMUABS_DEBIAN_MIRROR:-http://deb.debian.org/debian}
suites=${IOMMUABS_XEN_SUITES:-trixie bookworm}
kernel_suite=${IOMMUABS_KERNEL_SUITE:-trixie}

say() {
	printf 'fetch-xen: %s\n' "$*" >&2
}

# private_apt COMMAND...: apt that reads and writes nothing outside $work, save
# the machine's proxy settings, for arm64.
private_apt() {
	command=$1
	shift
	"$command" -q \
		-o Dir::Etc::SourceList="$work/debian.sources" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State="$work/state" -o Dir::State::status=/dev/null \
		-o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User="$(id -un)" \
		-o APT::Architecture=arm64 -o APT::Architectures::=arm64 "$@"
}

suite_use() { # SUITE TYPE
	rm -rf "$work/state" "$work/cache" "$work/files"
	mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" \
		"$work/files"
	cat >"$work/debian.sources" <<-END
		Types: $2
		URIs: $mirror
		Suites: $1
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
	private_apt apt-get update
}

# Only the upstream tarball: the package's description may be gone from a mirror,
# and Debian's patches are of no use here.
fetch_source() { # SUITE
	suite_use "$1" deb-src && cd "$work/files" &&
		private_apt apt-get source --only-source --tar-only \
			--download-only xen &&
		ls ./xen_*.orig.tar.xz
}

# The package that the one for everybody depends on.
fetch_packages() {
	suite_use "$kernel_suite" deb && cd "$work/files" || return
	kernel=$(private_apt apt-cache depends linux-image-arm64 |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
	private_apt apt-get download "$kernel" busybox-static &&
		ls ./linux-image-*.deb ./busybox-static*.deb
}

# Moved into place whole: a broken run leaves no half file.
keep() { # FILE, AS
	cp "$1" "$out/.$2" && mv "$out/.$2" "$out/$2"
}

sources() {
	[ -s "$out/xen.tar.xz" ] && return
	for suite in $suites; do
		if (fetch_source "$suite") >>"$work/log" 2>&1; then
			keep "$work"/files/xen_*.orig.tar.xz xen.tar.xz
			basename "$work"/files/xen_*.orig.tar.xz .orig.tar.xz \
				>"$out/xen.version"
			say "$(cat "$out/xen.version") from $suite"
			return
		fi
		say "$suite's Xen can't be had from $mirror"
	done
	return 1
}

packages() {
	[ -s "$out/linux.deb" ] && [ -s "$out/busybox.deb" ] && return
	(fetch_packages) >>"$work/log" 2>&1 || return 1
	keep "$work"/files/linux-image-*.deb linux.deb
	keep "$work"/files/busybox-static*.deb busybox.deb
}

if [ $# -ne 1 ]; then
	say "usage: fetch-xen.sh OUTDIR"
	exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
if ! sources || ! packages; then
	tail -n 20 "$work/log" >&2
	say "could not fetch what it takes"
	exit 1
fi
