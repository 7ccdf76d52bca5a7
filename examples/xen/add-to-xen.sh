#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# add-to-xen.sh - puts the library and its glue into a tree of Xen's sources
#
# usage: add-to-xen.sh XEN-TREE
#
# XEN-TREE/xen/drivers/passthrough/arm/iommuabs gets copies of what iommuabs.mk
# lists and of this directory; Kconfig and the Makefile beside it get a line or
# two, once. Nothing else of Xen's is changed. A second call brings the copies up
# to date.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
[ $# -eq 1 ] && [ -e "$1/xen/drivers/passthrough/Kconfig" ] || {
	echo "usage: add-to-xen.sh XEN-TREE" >&2
	exit 2
}
passthrough=$1/xen/drivers/passthrough
to=$passthrough/arm/iommuabs

# Copied where it differs, so that what is built stays built.
put() { # FILE, AS
	cmp -s "$1" "$2" || { mkdir -p "$(dirname "$2")" && cp "$1" "$2"; }
}

listed() {
	printf 'include %s/iommuabs.mk\nall:\n\t@printf "%%s\\n" %s\n' "$top" \
		'$(IOMMUABS_SOURCES) $(IOMMUABS_HEADERS_PUBLIC) $(IOMMUABS_HEADERS_PRIVATE)' |
		make -s -f -
}

for file in iommuabs.mk $(listed); do
	put "$top/$file" "$to/$file"
done
for file in "$here"/*.[ch]; do
	put "$file" "$to/${file##*/}"
done
put "$here/Makefile.xen" "$to/Makefile"

# shellcheck disable=SC2016
grep -q IOMMUABS "$passthrough/arm/Makefile" ||
	echo 'obj-$(CONFIG_IOMMUABS) += iommuabs/' >>"$passthrough/arm/Makefile"
grep -q IOMMUABS "$passthrough/Kconfig" ||
	cat >>"$passthrough/Kconfig" <<-'END'

	config IOMMUABS
		bool "SMMUv3 by way of iommuabs" if EXPERT
		depends on ARM_64 && !ARM_SMMU_V3
		help
		  Drives Arm SMMUv3 by the library in arm/iommuabs. A unit that
		  can walks the P2M itself; for others a copy is kept in step.
	END
