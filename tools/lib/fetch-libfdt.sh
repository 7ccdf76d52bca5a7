#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Usage: fetch-libfdt.sh OUTDIR
#
# Puts libfdt's sources into OUTDIR, for builds without a C library: Debian's
# libfdt.a is a hosted build. They are the libfdt directory of Debian's
# device-tree-compiler source package, which apt verifies; it needs no root, and
# the machine's own apt configuration and lists are not touched. The tarball is
# kept under ${XDG_CACHE_HOME:-~/.cache}/iommuabs, so the second run is offline.

set -eu

mirror=${IOMMUABS_DEBIAN_MIRROR:-http://deb.debian.org/debian}
suites=${IOMMUABS_LIBFDT_SUITES:-trixie bookworm}
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/iommuabs

say() {
	printf 'fetch-libfdt: %s\n' "$*" >&2
}

cached_tarball() {
	for file in "$cache"/device-tree-compiler_*.orig.tar.*; do
		if [ -s "$file" ]; then
			echo "$file"
			return
		fi
	done
}

# private_apt COMMAND...: apt that reads and writes nothing outside $work,
# save the machine's proxy settings.
private_apt() {
	apt-get -q -y \
		-o Dir::Etc::SourceList="$work/debian.sources" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State="$work/state" -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

# download SUITE: only the upstream tarball is asked for. Its checksum is in the
# suite's signed index, so the package's description is not needed; and a mirror
# that lacks one suite's file may have the other's.
download() {
	rm -rf "$work/state" "$work/cache" "$work/source"
	mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" \
		"$work/source"
	cat >"$work/debian.sources" <<-END
		Types: deb-src
		URIs: $mirror
		Suites: $1
		Components: main
		Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	END
	cd "$work/source"
	private_apt update && private_apt source --only-source --tar-only \
		--download-only device-tree-compiler
}

download_from_any() {
	for suite in $suites; do
		if (download "$suite") >>"$work/log" 2>&1; then
			return 0
		fi
	done
	tail -n 20 "$work/log" >&2
	say "could not fetch device-tree-compiler's source from $mirror"
	return 1
}

# Moved into place whole: two runs at once, or a broken one, leave no half file.
keep_tarball() {
	mkdir -p "$cache"
	for file in "$work"/source/*.orig.tar.*; do
		case $file in
		*.asc) continue ;;
		esac
		cp "$file" "$cache/.$$" && mv "$cache/.$$" "$cache/${file##*/}"
	done
}

if [ $# -ne 1 ]; then
	say "usage: fetch-libfdt.sh OUTDIR"
	exit 2
fi
out=$1
if [ -s "$out/libfdt.h" ]; then
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

if [ -z "$(cached_tarball)" ]; then
	download_from_any || exit 1
	keep_tarball
fi
mkdir "$work/tree"
tar -xf "$(cached_tarball)" -C "$work/tree" --strip-components=1
mkdir -p "$out"
cp "$work"/tree/libfdt/*.[ch] "$out/"
