/*
 * For the files that turn bytes into calls: their own branches are no progress of a fuzzer, so they are not counted as
 * edges. What stands between the two is not instrumented for coverage.
 */
#ifndef HARNESS_NO_COVERAGE_H
#define HARNESS_NO_COVERAGE_H

#if defined(__clang__)
#define NO_COVERAGE_BEGIN                                                                                              \
    _Pragma("clang attribute push(__attribute__((no_sanitize(\"coverage\"))), apply_to = function)")
#define NO_COVERAGE_END _Pragma("clang attribute pop")
#else
#define NO_COVERAGE_BEGIN
#define NO_COVERAGE_END
#endif

#endif /* HARNESS_NO_COVERAGE_H */
