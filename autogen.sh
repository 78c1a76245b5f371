#!/bin/sh
# Make configure from configure.ac. The tap-driver is automake's own.
set -eu
cd "$(dirname "$0")"
mkdir -p build-aux
exec autoreconf --install --force --warnings=all,no-portability
