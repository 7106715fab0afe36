#!/bin/bash
# Looks at `pagerite show --html` in a real browser (test_show_browser.py): moves the slider over every line of some
# traces and checks the maps against what `pagerite show` prints. Where Chromium, its driver or Selenium is missing,
# that is said and nothing is tested; in CI it fails.
#
# PAGERITE: the tool.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/checks.sh
source tests/checks.sh

chromium=$(command -v chromium || command -v chromium-browser || true)
driver=$(command -v chromedriver || true)
python=/usr/bin/python3

missing()
{
    if [[ -z $chromium ]]; then echo chromium; fi
    if [[ -z $driver ]]; then echo chromium-driver; fi
    if ! "$python" -c 'import selenium' 2>/dev/null; then echo python3-selenium; fi
}

skip_without_browser()
{
    local packages
    packages=$(missing | tr '\n' ' ')
    if [[ -z $packages ]]; then return; fi
    if [[ ${CI:-} == true ]]; then
        fail "CI has to have these packages: $packages"
        finish || exit
    fi
    skip_all "skipped: no ${packages% }, so that no browser can look at the page"
}

# Blocks where the trace says that it does not.
make_failing_trace()
{
    sed 's/^\[t2\]\(.*\)<unfinished ...>/[t2]\1= ZX_OK/' tests/test_show_everything.trace >"$work/failing.trace"
}

skip_without_browser
make_failing_trace
export SE_OFFLINE=true HOME=$work
timeout 300 "$python" tests/test_show_browser.py "$PAGERITE" "$work" "$chromium" "$driver" \
    tests/test_show_everything.trace corpus/traces/huge_supply.trace corpus/traces/kill_other_waits.trace \
    corpus/traces/fail_joined.trace "$work/failing.trace"
