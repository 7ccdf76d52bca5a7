# SPDX-License-Identifier: BSD-2-Clause
#
# sources.mk - what the hosts have in common

COMMON_SOURCES := args.c print.c tap.c string.c pages.c pci.c edu.c p2m.c guest.c \
	bring_up.c iommuabs_host.c callers.c vm.c scene.c prove.c before.c share.c \
	blocked.c take_away.c devices.c groups.c late.c hotplug.c live.c \
	reverse_map.c frames.c plug.c suspend.c random.c race.c
