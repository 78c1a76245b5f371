#!/usr/bin/env bash
# The checks of contrib/lint refuse what they are there to refuse.
exec "$(dirname "${BASH_SOURCE[0]}")/../../contrib/lint/selftest"
