#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Usage: run.sh ELF [ARGUMENTS]
#
# Boots the host under QEMU's q35 board with edu devices behind a VT-d unit: two on
# the root bus, one behind a root port, two behind a bridge to conventional PCI.
# ARGUMENTS say what it does ("selftest"); for "x2apic" there is one more CPU, whose
# APIC id takes more than 8 bits. The host's exit status is ours; 124: it did not end
# within TIMEOUT seconds (default 120).
#
# SMP=N         number of CPUs (default 4)
# ICOUNT=off    free-running clock and a thread per CPU: for races. Otherwise
#               time is counted in instructions, which goes with no x2APIC.
# VTD=OPTIONS   properties of the unit (default aw-bits=48)
# TIMEOUT=SECONDS

if [ $# -lt 1 ] || [ ! -f "$1" ]; then
	sed -n 's/^# \{0,1\}//; 4,16p' "$0" >&2
	exit 2
fi
elf=$1
arguments=${2:-selftest}

set -- -M q35 -cpu max -m 1G -smp "${SMP:-4}" -nodefaults -no-user-config \
	-display none -serial stdio -monitor none -no-reboot \
	-device "intel-iommu,intremap=on,${VTD:-aw-bits=48}" \
	-device edu,addr=5,dma_mask=0xffffffffffffffff \
	-device edu,addr=6,dma_mask=0xffffffffffffffff \
	-device pcie-root-port,id=rp,addr=8,chassis=1,bus-reserve=4 \
	-device edu,bus=rp,dma_mask=0xffffffffffffffff \
	-device pcie-pci-bridge,id=pb,addr=9 \
	-device edu,bus=pb,addr=1,dma_mask=0xffffffffffffffff \
	-device edu,bus=pb,addr=2,dma_mask=0xffffffffffffffff \
	-device isa-debug-exit,iobase=0xf4,iosize=4 \
	-kernel "$elf" -append "$arguments"
case $arguments in
x2apic)
	set -- "$@" -smp "sockets=288,maxcpus=288" -global intel-iommu.eim=on \
		-device max-x86_64-cpu,socket-id=287,core-id=0,thread-id=0
	;;
esac
if [ "${ICOUNT:-on}" = on ]; then
	set -- "$@" -icount shift=10,sleep=off
fi
if [ -t 1 ]; then
	echo "# q35: ends by itself; Ctrl-C ends it now" >&2
fi
timeout --foreground "${TIMEOUT:-120}" qemu-system-x86_64 "$@" </dev/null
status=$?
# The board's own statuses are odd and never 0, so that a reset is no success.
case $status in
33) exit 0 ;;
35) exit 1 ;;
0) exit 3 ;;
*) exit $status ;;
esac
