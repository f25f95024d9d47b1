#!/usr/bin/env python3
"""Writes the oracle's values, a JSON file for each group:

    python3 tools/oracle/generate.py --seed 2 --out DIR
"""
import argparse
import json
from pathlib import Path

import torch

from cases import GROUPS, LATER, build_group

torch.set_num_threads(1)  # sums in one order


def main():
    parser = argparse.ArgumentParser(description="Write the oracle's values.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--groups", nargs="*", choices=GROUPS,
                        default=[group for group in GROUPS if group not in LATER],
                        help=f"default: all but {' and '.join(LATER)}, for which conformance has no runner yet")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for group in args.groups:
        path = args.out / f"{group}.json"
        content = {"group": group, "seed": args.seed, "cases": build_group(group, args.seed)}
        path.write_text(json.dumps(content, separators=(",", ":"), allow_nan=False) + "\n")
        print(f"{path.name}: {len(content['cases'])} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
