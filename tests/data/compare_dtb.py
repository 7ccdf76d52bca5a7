#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# compare_dtb.py FOUND INPUTS - does what check_fdt printed of device trees agree
# with another reader's answers? FOUND/NAME.dtb, INPUTS/expected/dtb/NAME.json and
# INPUTS/dtb/NAME.dtb belong together.
#
# Every requester ID is looked up one by one in either. What the answer has and
# the scanner has no use for (memory-region, no-map, ...) is not compared. Exit
# status 0 if they agree; else each difference is a line on standard output.

import functools
import json
import re
import subprocess
import sys
from pathlib import Path

TYPES = {"smmu-v3": "smmuv3", "smmu-v2": "smmuv2"}
IRQS = {"event": "eventq", "error": "gerror", "sync": "cmdq-sync",
        "pri": "priq"}


def number(text):
    return int(text, 0) if isinstance(text, str) else text


class Unit:
    def __init__(self, words):
        self.type, self.path = words[:2]
        self.reg = tuple(int(x, 16) for x in words[2].split("+"))
        self.off = "off" in words[3:]
        self.coherent = "coherent" in words[3:]
        said = dict(w.split("=") for w in words[3:] if "=" in w)
        self.msi = said.pop("msi", None)
        self.irqs = {IRQS[which] for which in said}
        self.phandle = 0


class Device:
    """One, under all the names it has."""

    def __init__(self, line):
        own, *also = line.split(" also ")
        words = own.split()
        self.names = [words[1]] + [a.split()[0] for a in also]
        self.streams, self.pci, self.ignored = [], {}, 0
        self.is_range = "range" in words
        self.unsafe = "unsafe" in words
        self.reserved = [w for w in words if re.match(r"\w+\+\w+=", w)]
        for name, text in zip(self.names, [own] + also):
            pci = re.search(r" pci=(\w+)\+(\w+)", text)
            if pci:
                self.pci[name] = (int(pci[1], 16), int(pci[2], 16))
        for word in words[2:]:
            stream = re.match(r"(/.*):(\w+)\+(\w+)@(\w+)$", word)
            if stream:
                self.streams.append(
                    (stream[1], *(int(stream[i], 16) for i in (2, 3, 4))))
            if word.startswith("ignored="):
                self.ignored = int(word[8:], 16)

    def ids(self):
        return {(unit, first + i) for unit, first, nr, _ in self.streams
                for i in range(nr)}

    def id_of(self, rid):
        """of a function, where they are told apart"""
        rid &= ~self.ignored
        for unit, first, nr, base in self.streams:
            if base <= rid < base + nr:
                return unit, first + rid - base
        return None


def read_found(path):
    units, devices = {}, {}
    for line in open(path):
        words = line.split()
        if words[0] == "phandle":
            units[words[1]].phandle = int(words[2], 16)
        elif words[0] == "device":
            device = Device(line.rstrip("\n"))
            for name in device.names:
                devices[name] = device
        else:
            units[words[1]] = Unit(words)
    return units, devices


# ---- units

def msi_parent(tree, want):
    """as check_fdt prints it: of one parent, and that one an ITS"""
    if "msi-parent" not in want.get("props", []) or not want["enabled"]:
        return None
    return ":".join(subprocess.run(
        ["fdtget", "-t", "x", tree, want["path"], "msi-parent"], check=True,
        capture_output=True, text=True).stdout.split())


def compare_unit(unit, want, tree):
    yield "type", unit.type, TYPES.get(want["family"], "other")
    yield "off", unit.off, not want["enabled"]
    yield "phandle", unit.phandle, want["phandle"] or 0
    if want["reg"] and want["reg"][0].get("base"):
        yield "reg", unit.reg, tuple(number(want["reg"][0][x])
                                     for x in ("base", "size"))
    if "dma-coherent" in want.get("props", []):
        yield "coherent", unit.coherent, True
    if unit.type == "smmuv3":
        yield "messages", unit.msi, msi_parent(tree, want)
    # Of a controller that is no GIC there are none.
    if unit.irqs:
        yield "irqs", unit.irqs, set(want["interrupt_names"]) & set(
            IRQS.values())


def compare_units(units, expected, tree):
    for want in expected["iommus"]:
        unit = units.get(want["path"])
        if not unit:
            yield f"{want['path']}: not found"
            continue
        for what, have, wanted in compare_unit(unit, want, tree):
            if have != wanted:
                yield f"{unit.path}: {what} {have} instead of {wanted}"
    for path in units.keys() - {u["path"] for u in expected["iommus"]}:
        yield f"{path}: found, not expected"
    for kind, name in TYPES.items():
        nr = sum(u.type == name for u in units.values())
        if nr != expected["summary"][kind.replace("-", "_")]:
            yield f"{nr} units {name}"


# ---- masters: one by one, then those that share an id

class Wanted:
    """What a node's DMA arrives as: by requester ID, or all of it."""

    def __init__(self):
        self.ids, self.own, self.by_rid = set(), set(), None
        self.pci, self.messages = None, []
        self.apart = False


def wanted_map(entry, off):
    """requester ID -> id"""
    rids, mask = {}, number(entry.get("mask", "0xffffffff"))
    first, last = entry.get("bus_range") or (0, 255)
    if entry["device_type"] == "pci":
        every = range(first << 8, (last + 1) << 8)
    else:
        every = [number(e["rid_base"]) + i for e in entry["entries"]
                 for i in range(number(e["length"]))]
    for rid in every:
        rids[rid] = None
        for e in entry["entries"]:
            at = (rid & mask) - number(e["rid_base"])
            if 0 <= at < number(e["length"]) and e["target"] not in off:
                rids[rid] = e["target"], number(e["out"][0]) + at
    return rids


def wanted_devices(expected, off):
    devices = {}
    for master in expected["masters"]:
        if not master["enabled"] or not master["entries"]:
            continue
        ids = {(e["iommu"], number(e["args"][0]) if e["args"] else 0)
               for e in master["entries"]}
        want = devices.setdefault(master["path"], Wanted())
        want.ids = set() if any(u in off for u, _ in ids) else ids
    for entry in expected["maps"]:
        if not entry["enabled"]:
            continue
        if entry["prop"] == "msi-map":
            if entry["path"] in devices:
                devices[entry["path"]].messages = [
                    e["target"] for e in entry["entries"]]
            continue
        want = devices.setdefault(entry["path"], Wanted())
        own, want.by_rid = want.ids, wanted_map(entry, off)
        found = set(want.by_rid.values())
        want.apart = len(found) > 1
        want.ids = found - {None}
        want.own = {(u, i) for u, i in own if u not in off}
        if not want.apart:
            want.ids = set() if None in found else found | own
        if entry["device_type"] == "pci":
            first, last = entry.get("bus_range") or (0, 255)
            want.pci = (entry.get("pci_domain"), first << 8,
                        (last - first + 1) << 8)
    return devices


def groups_of(wanted, arm):
    """names of those that share an id of one of Arm's units"""
    groups = {name: {name} for name in wanted}
    by_id = {}
    for name, want in wanted.items():
        for one in want.ids:
            if one[0] in arm:
                by_id.setdefault(one, []).append(name)
    for names in by_id.values():
        whole = set().union(*(groups[name] for name in names))
        for name in whole:
            groups[name] = whole
    return groups


@functools.lru_cache(maxsize=None)
def is_its(tree, path):
    return "arm,gic-v3-its" in subprocess.run(
        ["fdtget", tree, path, "compatible"], check=True,
        capture_output=True, text=True).stdout.split()


def compare_device(name, device, want, group, wanted):
    if set(device.names) != group:
        yield f"is one with {device.names} instead of {group}"
    if want.apart and len(group) == 1:
        if not device.is_range:
            yield "is no range"
        for rid, one in want.by_rid.items():
            if device.id_of(rid) != one:
                yield f"{rid:x} is {device.id_of(rid)} instead of {one}"
                return
        if want.own - device.ids():
            yield f"its own DMA as {want.own} is not there"
    else:
        ids = set().union(*(wanted[n].ids for n in group))
        if device.ids() != ids:
            yield f"{device.ids()} instead of {ids}"
    if want.pci:
        domain, first, nr = want.pci
        pci = device.pci[name]
        if (pci[0] & 0xffff, pci[1]) != (first, nr):
            yield f"functions {pci} instead of {want.pci}"
        if domain is not None and pci[0] >> 16 != domain:
            yield f"domain {pci[0] >> 16} instead of {domain}"


def compare_devices(devices, expected, off, tree):
    arm = {u["path"] for u in expected["iommus"] if u["family"] in TYPES}
    wanted = wanted_devices(expected, off)
    groups = groups_of(wanted, arm)
    for name, want in wanted.items():
        if name not in devices:
            yield f"{name}: not found"
            continue
        for line in compare_device(name, devices[name], want, groups[name],
                                   wanted):
            yield f"{name}: {line}"
        targets = set(want.messages)
        if targets and devices[name].unsafe != (
                not all(is_its(tree, t) for t in targets)):
            yield f"{name}: messages to {targets}"
    # The answers have no bridges without a map, and masters of Arm's only.
    for name in devices.keys() - wanted.keys():
        if arm & {unit for unit, *_ in devices[name].streams}:
            yield f"{name}: found, not expected"
    nr = sum(len(d.reserved) for d in set(devices.values()))
    if bool(nr) != bool(expected["summary"]["reserved_iommu_addresses"]):
        yield f"{nr} reserved regions"


def differences(found, answer, tree):
    units, devices = read_found(found)
    expected = json.loads(answer.read_text())
    off = {u["path"] for u in expected["iommus"] if not u["enabled"]}
    yield from compare_units(units, expected, tree)
    yield from compare_devices(devices, expected, off, tree)


def main():
    found, inputs = Path(sys.argv[1]), Path(sys.argv[2])
    nr = wrong = 0
    for path in sorted(found.iterdir()):
        answer = inputs / "expected" / "dtb" / (path.stem + ".json")
        lines = list(differences(path, answer, inputs / "dtb" / path.name))
        for line in lines:
            print(f"{path.stem}: {line}")
        nr += 1
        wrong += bool(lines)
    print(f"{nr - wrong} of {nr} trees agree")
    return 1 if wrong or not nr else 0


sys.exit(main())
