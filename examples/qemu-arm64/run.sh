#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Usage: run.sh ELF [BOOTARGS [MACHINE]]
#
# Boots the host under QEMU with edu devices behind an SMMUv3: two on the root bus,
# one behind a root port, two behind a bridge to conventional PCI. BOOTARGS say
# what it does ("selftest"); MACHINE is virt (the newest board; its SMMU does
# both stages) or virt-9.1 (its SMMU does stage 2 only). The host's exit status
# is ours; 124: it did not end within TIMEOUT seconds (default 120).
#
# SMP=N         number of CPUs (default 4)
# ICOUNT=off    free-running clock and a thread per CPU: for races. Otherwise
#               time is counted in instructions, and waiting costs none.
# STAGE=1|2     what the SMMU of virt-9.1 translates (default 2)
# TIMEOUT=SECONDS

if [ $# -lt 1 ] || [ ! -f "$1" ]; then
	sed -n 's/^# \{0,1\}//; 4,16p' "$0" >&2
	exit 2
fi
elf=$1
bootargs=${2:-selftest}
machine=${3:-virt}

set -- -M "$machine,gic-version=3,virtualization=on,iommu=smmuv3" \
	-global "arm-smmuv3.stage=${STAGE:-2}" -cpu max -m 1G \
	-smp "${SMP:-4}" -display none -serial stdio -monitor none \
	-nic none -no-reboot -semihosting-config enable=on,target=native \
	-device edu,addr=1,dma_mask=0xffffffffffffffff \
	-device edu,addr=2,dma_mask=0xffffffffffffffff \
	-device pcie-root-port,id=rp,addr=8,chassis=1 \
	-device edu,bus=rp,dma_mask=0xffffffffffffffff \
	-device pcie-pci-bridge,id=pb,addr=9 \
	-device edu,bus=pb,addr=1,dma_mask=0xffffffffffffffff \
	-device edu,bus=pb,addr=2,dma_mask=0xffffffffffffffff \
	-kernel "$elf" -append "$bootargs"
if [ "${ICOUNT:-on}" = on ]; then
	set -- "$@" -icount shift=1,sleep=off
fi
if [ -t 1 ]; then
	echo "# $machine: ends by itself; Ctrl-C ends it now" >&2
fi
exec timeout --foreground "${TIMEOUT:-120}" qemu-system-aarch64 "$@" </dev/null
