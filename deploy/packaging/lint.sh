#!/bin/sh
# Every check runs even if an earlier one failed, so that one run shows all there is to mend.
failed=""
check() {
    name=$1
    shift
    echo "skewline: $name"
    "$@" || failed="$failed, $name"
}

check "ruff check" ruff check .
check "ruff format" ruff format --check .
check "mypy --strict" mypy
check "import rules" lint-imports --no-logo
check "buf lint" buf lint
check "buf format" buf format --diff --exit-code

# What is released is a promise: the contract may grow after it, not break.
release=$(git describe --tags --abbrev=0 --match 'v*' 2>/dev/null)
if [ -n "$release" ]; then
    check "buf breaking (against $release)" buf breaking --against ".git#tag=$release"
else
    echo "skewline: buf breaking: no release yet to compare with"
fi

[ -z "$failed" ] || { echo "skewline: failed: ${failed#, }" >&2; exit 1; }
