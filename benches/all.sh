#!/bin/sh
# Runs every bench, one after the other, and prints a table for each size:
#     benches/all.sh                  # 10,000 and 100,000 VPCs
#     benches/all.sh 1000000          # needs 8 GB of memory
set -eu
cd "$(dirname "$0")/.."
PASSMUSTER_BENCH_VPCS="${1:-10000,100000}" cargo bench --bench inventory -- --quiet
