#!/usr/bin/python3
"""Looks at the pages of `pagerite show --html` in Chromium: moves the slider in every way there is, and compares what
stands there with what `pagerite show` prints. Called by test_show_html.sh.

    test_show_browser.py TOOL DIRECTORY CHROMIUM CHROMEDRIVER TRACE...    the last trace is one that fails
"""
import pathlib
import re
import subprocess
import sys

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

passed = failed = 0


def check(name, got, expected):
    global passed, failed
    if got == expected:
        passed += 1
        return
    failed += 1
    print(f"{name}:\n  expected {expected!r}\n  got      {got!r}")


# ---- what the text says ----

class Text:
    """What `pagerite show` prints: for each line of the trace that does something, the VMOs behind it."""

    def __init__(self, tool, trace):
        source = pathlib.Path(trace).read_text(encoding="utf-8").splitlines()
        run = subprocess.run([tool, "show", "--width=0", trace], capture_output=True, text=True, check=False)
        self.printed = run.stdout.splitlines()
        self.states = {}  # by number of the line
        self.last = len(source)
        vmos, waits = {}, []
        at = self.skip_legend(source[0])
        for number, line in enumerate(source, 1):
            if at >= len(self.printed) or self.printed[at] != line:
                self.last = number - 1
                return
            at, changed = self.read_maps(at + 1, source[number] if number < len(source) else None, vmos, waits)
            if line and line[0] != "#" and not line.startswith("option "):
                self.states[number] = ({name: dict(vmo) for name, vmo in vmos.items()}, changed, list(waits))
            for name in [name for name, vmo in vmos.items() if vmo.get("gone")]:
                del vmos[name]

    def skip_legend(self, first):
        return self.printed.index(first)

    def read_maps(self, at, following, vmos, waits):
        changed, last, seen_wait = set(), None, False
        while at < len(self.printed) and self.printed[at] != following and self.printed[at].startswith("#   "):
            words = re.split(r" {2,}", self.printed[at][4:].strip())
            at += 1
            if " is blocked in " in words[0] or words[0].startswith("nobody waits"):
                if not seen_wait:
                    waits.clear()
                seen_wait = True
                if " is blocked in " in words[0]:
                    waits.append(words[0].replace(" is blocked in ", " in "))
            elif re.match(r"(READ|DIRTY) ", words[0]):
                vmos[last]["requests"].append(words[0])
            else:
                last = words[0]
                changed.add(last)
                vmos[last] = self.vmo_of(words)
        return at, changed

    @staticmethod
    def vmo_of(words):
        if words[1:] == ["gone"]:
            return {"gone": True}
        rest = words[2:]
        has_map = bool(rest) and not re.match(r"(READ|DIRTY) ", rest[0])
        return {"size": words[1][:-1], "map": rest[0].replace(" ", "") if has_map else "",
                "requests": rest[1 if has_map else 0:]}


# ---- what the page says ----

READ_PAGE = """
const text = element => element ? element.textContent : null;
return {
  current: [...document.querySelectorAll('#trace [aria-current]')].map(line => Number(line.id.slice(1))),
  where: text(document.getElementById('where')),
  slider: Number(document.getElementById('slider').value),
  valueText: document.getElementById('slider').getAttribute('aria-valuetext'),
  waits: [...document.querySelectorAll('.waits li')].map(text),
  vmos: [...document.querySelectorAll('article[data-vmo]')].map(article => [article.dataset.vmo, {
    gone: !article.querySelector('.map'),
    changed: Boolean(article.querySelector('.badge')),
    badge: text(article.querySelector('.badge')),
    size: (text(article.querySelector('.size')) || '').replace(/ pages?$/, ''),
    map: text(article.querySelector('.map')),
    requests: [...article.querySelectorAll('.requests li')].map(text),
  }]),
};
"""


def compare(name, browser, text, number):
    page = browser.execute_script(READ_PAGE)
    vmos, changed, waits = text.states[number]
    check(f"{name}: highlighted line", page["current"], [number])
    check(f"{name}: position in words", page["where"].startswith(f"line {number} of "), True)
    check(f"{name}: position for a reader", page["valueText"].startswith(f"line {number}: "), True)
    check(f"{name}: slider", page["slider"], sorted(text.states).index(number))
    check(f"{name}: VMOs", {vmo for vmo, _ in page["vmos"]}, set(vmos))
    check(f"{name}: blocked elsewhere", page["waits"], waits)
    check(f"{name}: changed", {vmo for vmo, about in page["vmos"] if about["changed"]}, changed)
    for vmo, about in page["vmos"]:
        expected = vmos.get(vmo, {})
        if expected.get("gone"):
            check(f"{name}: {vmo} is gone", (about["gone"], about["badge"]), (True, "gone"))
            continue
        requests = [request.replace("\u2190", "<-") for request in about["requests"]]
        got = {"size": about["size"], "map": about["map"], "requests": requests}
        check(f"{name}: {vmo}", got, expected)


def open_page(browser, page, anchor=""):
    browser.get("about:blank")
    browser.get(page.as_uri() + anchor)


def slider_of(browser):
    return browser.find_element(By.ID, "slider")


def walk(browser, name, page, text):
    """Every line, by the keys that a slider takes, forth; by those of the page, back."""
    numbers = sorted(text.states)
    open_page(browser, page)
    for number in numbers:
        compare(f"{name}:{number}", browser, text, number)
        slider_of(browser).send_keys(Keys.ARROW_RIGHT)
    compare(f"{name}: behind the end", browser, text, numbers[-1])
    browser.execute_script("document.activeElement.blur()")
    body = browser.find_element(By.TAG_NAME, "body")
    for number in reversed(numbers[:-1]):
        body.send_keys(Keys.ARROW_LEFT)
        compare(f"{name}:{number} backwards", browser, text, number)
    body.send_keys(Keys.ARROW_UP)
    compare(f"{name}: before the beginning", browser, text, numbers[0])


def jump(browser, name, page, text):
    """The other ways to move."""
    numbers = sorted(text.states)
    middle = numbers[len(numbers) // 2]
    open_page(browser, page, f"#L{middle}")
    compare(f"{name}: by address", browser, text, middle)
    browser.find_element(By.ID, "back").click()
    compare(f"{name}: by button", browser, text, numbers[len(numbers) // 2 - 1])
    browser.find_element(By.ID, "on").click()
    compare(f"{name}: by the other button", browser, text, middle)
    browser.find_element(By.CSS_SELECTOR, f"#L{numbers[1]} code").click()
    compare(f"{name}: by a click on a line", browser, text, numbers[1])
    slider_of(browser).send_keys(Keys.END)
    compare(f"{name}: End", browser, text, numbers[-1])
    slider_of(browser).send_keys(Keys.HOME)
    compare(f"{name}: Home", browser, text, numbers[0])
    drag(browser)
    compare(f"{name}: dragged to the end", browser, text, numbers[-1])


def drag(browser):
    slider = slider_of(browser)
    grip = -slider.size["width"] // 2 + 8
    webdriver.ActionChains(browser).move_to_element_with_offset(slider, grip, 0).click_and_hold().move_by_offset(
        slider.size["width"] + 40, 0).release().perform()


# ---- what only the page has ----

LUMINANCE = """
const channels = colour => colour.match(/[\\d.]+/g).map(Number);
const luminance = colour => channels(colour).slice(0, 3).map(c => c / 255)
  .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const contrast = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
return [...document.querySelectorAll(arguments[0])].map(element => {
  const style = getComputedStyle(element);
  let behind = element;
  while (channels(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement || document.body;
  const back = getComputedStyle(behind).backgroundColor;
  return [back, contrast(luminance(style.color), luminance(back))];
});
"""


def check_colours(browser, page):
    for scheme in ("light", "dark"):
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        open_page(browser, page)
        states = browser.execute_script(LUMINANCE, "#legend .cell")[:10]
        check(f"{scheme}: each state has a colour of its own", len({colour for colour, _ in states}), 10)
        for selector in ("#legend .cell", "#legend li", "ol li", "h1", "#where", "button", ".cell", ".requests li"):
            worst = min([ratio for _, ratio in browser.execute_script(LUMINANCE, selector)], default=21)
            check(f"{scheme}: {selector} is legible ({worst:.1f})", worst >= 4.5, True)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def check_titles(browser, page):
    open_page(browser, page, "#L19")
    titles = browser.execute_script(
        "return [...document.querySelectorAll('[data-vmo=file] .cell')].map(cell => cell.title)")
    check("titles", [titles[i] for i in (0, 1, 2, 7, 8, 11, 12)],
          ["page 0: clean, pinned", "page 1: dirty, pinned", "page 2: awaiting clean", "page 7: marker",
           "page 8: absent, asked for: READ 8p+2p waits for the port",
           "page 11: absent, asked for: READ 10p+2p in the port", "pages 12 to 23: zero interval awaiting clean"])
    label = browser.execute_script("return document.querySelector('[data-vmo=file] .map').getAttribute('aria-label')")
    check("the map in words", label.startswith("page 0: clean, pinned; page 1: dirty, pinned; "), True)


def check_page(browser, name, trace, text):
    resources = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    check(f"{name}: nothing else is loaded", resources, [])
    check(f"{name}: title", browser.title, str(trace))
    lines = browser.execute_script("return [...document.querySelectorAll('#trace li')].map(line => line.textContent)")
    check(f"{name}: lines", lines, pathlib.Path(trace).read_text(encoding="utf-8").splitlines())
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    check(f"{name}: fits", browser.execute_script(overflow), 0)
    log = [entry["message"] for entry in browser.get_log("browser")]
    check(f"{name}: the console is silent", log, [])
    check(f"{name}: the text has steps", len(text.states) > 0, True)


def check_failing(browser, page, text):
    open_page(browser, page)
    note = browser.find_element(By.ID, "note").text
    check("a failing trace: what is wrong", "not as expected" in note and "<unfinished ...>" in note, True)
    unrun = browser.execute_script(
        "return [...document.querySelectorAll('.unrun')].map(line => Number(line.id.slice(1)))")
    check("a failing trace: what was not run", unrun[0] if unrun else None, max(text.states) + 1)
    slider_of(browser).send_keys(Keys.END)
    compare("a failing trace: its last line", browser, text, max(text.states))


def check_empty(browser, tool, directory):
    trace, page = directory / "empty.trace", directory / "empty.html"
    trace.write_text("# nothing happens\n", encoding="utf-8")
    subprocess.run([tool, "show", "--html", page, trace], check=True)
    open_page(browser, page)
    check("an empty trace: the slider", slider_of(browser).is_enabled(), False)
    check("an empty trace: the console is silent", browser.get_log("browser"), [])


def start_browser(chromium, driver, directory):
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--window-size=1200,800", f"--user-data-dir={directory}/profile"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(driver), options=options)


def look_at(browser, tool, directory, trace):
    name = pathlib.Path(trace).name
    page = directory / f"{name}.html"
    subprocess.run([tool, "show", "--html", page, trace], stderr=subprocess.DEVNULL, check=False)
    return name, page, Text(tool, trace)


def main(tool, directory, chromium, driver, *traces):
    directory = pathlib.Path(directory)
    browser = start_browser(chromium, driver, directory)
    try:
        for trace in traces:
            name, page, text = look_at(browser, tool, directory, trace)
            walk(browser, name, page, text)
            jump(browser, name, page, text)
            check_page(browser, name, trace, text)
        check_failing(browser, page, text)
        _, page, _ = look_at(browser, tool, directory, traces[0])
        check_titles(browser, page)
        check_colours(browser, page)
        browser.set_window_size(600, 900)
        open_page(browser, page)
        check_page(browser, "a narrow window", traces[0], text)
        check_empty(browser, tool, directory)
    finally:
        browser.quit()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
