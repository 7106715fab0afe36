#!/bin/bash -eu
# As in OSS-Fuzz.
exec "${SRC:?}/pagerite/ci/oss-fuzz/build.sh"
