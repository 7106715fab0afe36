#!/bin/bash
# Installs what was built.
#
#   ci/install.sh FOLDER PREFIX    libpagerite.a and pagerite from FOLDER, core/pgr.h with what it includes, a
#                                  pkg-config file, the completion
#
# DESTDIR: put before PREFIX where files are written, for those who make packages. Files get the usual modes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version()
{
    sed -n 's/^#define PGR_VERSION "\(.*\)"/\1/p' core/pgr.h
}

pkg_config()
{
    cat <<TEXT
prefix=$1
includedir=\${prefix}/include
libdir=\${prefix}/lib

Name: Pagerite
Description: reference model of Zircon's user pager
Version: $(version)
License: BSD-2-Clause
Cflags: -I\${includedir}
Libs: -L\${libdir} -lpagerite
TEXT
}

main()
{
    local built=$1 prefix=$2 root
    root=${DESTDIR:-}$prefix
    install -D --mode=644 "$built/libpagerite.a" "$root/lib/libpagerite.a"
    ci/amalgamate.sh --header /dev/stdout | install -D --mode=644 /dev/stdin "$root/include/pgr.h"
    install -D --mode=755 "$built/pagerite" "$root/bin/pagerite"
    pkg_config "$prefix" | install -D --mode=644 /dev/stdin "$root/lib/pkgconfig/pagerite.pc"
    "$built/pagerite" help bash-completion |
        install -D --mode=644 /dev/stdin "$root/share/bash-completion/completions/pagerite"
    echo "pagerite $(version) is in $root"
}

if (($# != 2)) || [[ $2 != /* ]]; then
    echo "usage: ci/install.sh FOLDER PREFIX, an absolute path" >&2
    exit 2
fi
main "$1" "$2"
