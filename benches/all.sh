#!/bin/sh
# Runs every bench, one after the other, and prints a table for each size:
#     benches/all.sh                  # 10,000 and 100,000 VPCs
#     benches/all.sh 1000000          # needs 8 GB of memory
set -eu
cd "$(dirname "$0")/.."
sizes="${1:-10000,100000}"
PASSMUSTER_BENCH_VPCS="$sizes" cargo bench --bench inventory -- --quiet
for vpcs in $(echo "$sizes" | tr , ' '); do
    cargo bench --bench http -- --vpcs "$vpcs"
    cargo bench --bench load -- --vpcs "$vpcs"
done
