#!/bin/bash
# Runs `bazel test //...` without a network, with what Debian 12 packages: Bazel 4.2 and the rule sets that it would
# otherwise download. The packaged rules_cc loads a symbol that is younger than this Bazel: a patched copy outside the
# tree stands in. Coverage tools, which no test here uses, are an empty repository.
#
#   ci/bazel.sh [COMMAND [ARGUMENTS...]]    another command than `test //...`
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ci/setup.sh bazel

scratch=${TMPDIR:-/tmp}/pagerite-bazel.$UID
rules=/usr/share/bazel/rules

make_rules_cc()
{
    rm -rf "$scratch/rules_cc"
    cp -r "$rules/cc" "$scratch/rules_cc"
    sed -i -e 's/, "use_cpp_toolchain")/)/' \
        -e 's|use_cpp_toolchain()|["@bazel_tools//tools/cpp:toolchain_type"]|' \
        "$scratch/rules_cc/cc/private/rules_impl/cc_flags_supplier.bzl" \
        "$scratch/rules_cc/cc/private/rules_impl/compiler_flag.bzl"
}

make_coverage_tools()
{
    mkdir -p "$scratch/coverage_tools"
    echo 'workspace(name = "remote_coverage_tools")' >"$scratch/coverage_tools/WORKSPACE"
    cat >"$scratch/coverage_tools/BUILD" <<'TEXT'
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])
filegroup(name = "lcov_merger", visibility = ["//visibility:public"])
TEXT
}

main()
{
    mkdir -p "$scratch"
    make_rules_cc
    make_coverage_tools
    if (($# == 0)); then set -- test //...; fi
    local command=$1
    shift
    local bazel=(bazel "--output_user_root=$scratch/root")
    # A daemon that outlives the run would hold memory for nothing.
    trap '"${bazel[@]}" shutdown >/dev/null 2>&1 || true' EXIT
    "${bazel[@]}" "$command" \
        --override_repository=rules_cc="$scratch/rules_cc" \
        --override_repository=rules_java="$rules/java" \
        --override_repository=rules_proto="$rules/proto" \
        --override_repository=platforms=/usr/share/bazel/platforms \
        --override_repository=remote_coverage_tools="$scratch/coverage_tools" \
        --noshow_progress "$@"
}

main "$@"
