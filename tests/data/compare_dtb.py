#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
#
# compare_dtb.py FOUND EXPECTED.json - does what check_fdt printed of a device
# tree agree with another reader's answer?
#
# Exit status 0 if it does; else each difference is a line on standard output.

import json
import re
import sys

TYPES = {"smmu-v3": "smmuv3", "smmu-v2": "smmuv2"}


def number(text):
    return int(text, 0) if isinstance(text, str) else text


def read_found(path):
    """units by path, devices by path"""
    units, devices = {}, {}
    for line in open(path):
        words = line.split()
        if words[0] != "device":
            base, length = (int(x, 16) for x in words[2].split("+"))
            units[words[1]] = (words[0], base, length, "off" in words[3:],
                               "coherent" in words[3:])
            continue
        device = {"streams": [], "flags": set(), "pci": None}
        for word in words[2:]:
            stream = re.match(r"(/.*):(\w+)\+(\w+)@(\w+)$", word)
            if stream:
                device["streams"].append(
                    (stream[1], *(int(stream[i], 16) for i in (2, 3, 4))))
            elif word.startswith("pci="):
                device["pci"] = [int(x, 16) for x in word[4:].split("+")]
            else:
                device["flags"].add(word)
        devices[words[1]] = device
    return units, devices


def compare_units(units, expected):
    for unit in expected["iommus"]:
        found = units.pop(unit["path"], None)
        if not found:
            yield f"{unit['path']}: not found"
            continue
        kind = TYPES.get(unit["family"], "other")
        wanted = (kind, not unit["enabled"])
        if (found[0], found[3]) != wanted:
            yield f"{unit['path']}: {found} instead of {wanted}"
        if unit["reg"] and unit["reg"][0].get("base"):
            reg = tuple(number(unit["reg"][0][x]) for x in ("base", "size"))
            if found[1:3] != reg:
                yield f"{unit['path']}: {found} instead of {reg}"
        if "dma-coherent" in unit.get("props", []) and not found[4]:
            yield f"{unit['path']}: not coherent"
    for path in units:
        yield f"{path}: found, not expected"


def ids_of(device):
    return {(unit, first + i) for unit, first, nr, _ in device["streams"]
            for i in range(nr)}


def compare_masters(devices, expected, off):
    for master in expected["masters"]:
        path = master["path"]
        if any(m["path"] == path and m["prop"] == "iommu-map"
               for m in expected["maps"]):
            continue
        if not master["enabled"]:
            if path in devices:
                yield f"{path}: found, though it is off"
            continue
        if not master["entries"]:
            continue
        found = devices.pop(path, None)
        if found is None:
            yield f"{path}: not found"
            continue
        wanted = {(e["iommu"], number(e["args"][0]) if e["args"] else 0)
                  for e in master["entries"]}
        if any(unit in off for unit, _ in wanted):
            wanted = set()
        if ids_of(found) != wanted:
            yield f"{path}: {ids_of(found)} instead of {wanted}"


def map_of(entries, off):
    """(unit, offset of output to id) -> ids"""
    ids = {}
    for e in entries:
        if e["target"] not in off:
            rid = number(e["rid_base"])
            for i in range(number(e["length"])):
                ids[rid + i] = (e["target"], number(e["out"][0]) + i)
    return ids


def compare_map(found, entry, off):
    ids = map_of(entry["entries"], off)
    if "range" in found["flags"]:
        seen = {rid + i: (unit, first + i)
                for unit, first, nr, rid in found["streams"]
                for i in range(nr)}
        if seen != ids:
            yield f"{entry['path']}: {found['streams']}"
    elif found["streams"] and ids_of(found) != set(ids.values()):
        yield f"{entry['path']}: {found['streams']}"
    elif not found["streams"] and ids and "mask" not in entry:
        yield f"{entry['path']}: untranslated"
    if entry["device_type"] != "pci":
        return
    first, last = entry["bus_range"]
    if (found["pci"][0] & 0xffff, found["pci"][1]) != \
            (first << 8, (last - first + 1) << 8):
        yield f"{entry['path']}: buses {found['pci']}"
    if "pci_domain" in entry and found["pci"][0] >> 16 != entry["pci_domain"]:
        yield f"{entry['path']}: domain {found['pci']}"


def compare_maps(devices, expected, off):
    for entry in expected["maps"]:
        if entry["prop"] != "iommu-map":
            continue
        found = devices.pop(entry["path"], None)
        if (found is not None) != entry["enabled"]:
            yield f"{entry['path']}: {'' if found else 'not '}found"
        elif found:
            yield from compare_map(found, entry, off)


def main():
    units, devices = read_found(sys.argv[1])
    expected = json.load(open(sys.argv[2]))
    off = {u["path"] for u in expected["iommus"] if not u["enabled"]}
    arm = {u["path"] for u in expected["iommus"] if u["family"] in TYPES}
    wrong = list(compare_units(units, expected))
    wrong += compare_maps(devices, expected, off)
    wrong += compare_masters(devices, expected, off)
    # The answers list masters of Arm's units only.
    wrong += [f"{path}: found, not expected" for path, device in devices.items()
              if arm & {unit for unit, _ in ids_of(device)}]
    for line in wrong:
        print(f"{sys.argv[2].rsplit('/', 1)[-1]}: {line}")
    return 1 if wrong else 0


sys.exit(main())
