#!/usr/bin/env python3
"""Reads programs of syzkaller as strictly as syzkaller does, for the calls that `pagerite export --syz` may write: the
names of calls, the number and the kinds of their arguments, each result defined once and before its use, each comment
apart from the call behind it. Called by test_export.sh.

    test_export_check.py FILE...       complains about what is wrong, and prints how many calls there were
"""
import re
import sys

# The kinds: h a handle, a an address, t a time, n a number, z zero, k a key (of 16), q a key (of 4); on the right of a
# star what a pointer points to: H a new handle, A a new address, o anything that is an output, b bytes given, B room
# for bytes, s 64 bits given, l handles, p a packet, d addresses. # is the length of the argument before it.
CALLS = {
    "zx_handle_close": "h", "zx_handle_close_many": "*l #", "zx_handle_duplicate": "h n *H",
    "zx_handle_replace": "h n *H",
    "zx_object_get_info$ZX_INFO_HANDLE_VALID": "h =0x1 z z *o *o",
    "zx_object_get_info$ZX_INFO_HANDLE_BASIC": "h =0x2 *o # *o *o",
    "zx_object_get_info$ZX_INFO_HANDLE_COUNT": "h =0x13 *o # *o *o",
    "zx_object_get_info$ZX_INFO_VMAR": "h =0x7 *o # *o *o",
    "zx_object_get_info$ZX_INFO_VMO": "h =0x10000017 *o # *o *o",
    "zx_object_get_info$ZX_INFO_BTI": "h =0x14 *o # *o *o",
    "zx_object_get_property$ZX_PROP_NAME": "h =0x3 *B #",
    "zx_object_get_property$ZX_PROP_VMO_CONTENT_SIZE": "h =0x11 *o #",
    "zx_object_set_property$ZX_PROP_NAME": "h =0x3 *b #",
    "zx_object_set_property$ZX_PROP_VMO_CONTENT_SIZE": "h =0x11 *s #",
    "zx_object_wait_one": "h n t *o", "zx_object_wait_async": "h h q n n", "zx_object_signal": "h n n",
    "zx_event_create": "n *H",
    "zx_port_create": "n *H", "zx_port_wait": "h t *o", "zx_port_queue": "h *p", "zx_port_cancel": "h h k",
    "zx_pager_create": "n *H", "zx_pager_create_vmo": "h n h k n *H", "zx_pager_detach_vmo": "h h",
    "zx_pager_supply_pages": "h h n n h n", "zx_pager_op_range": "h n h n n n",
    "zx_vmo_create": "n n *H", "zx_vmo_create_contiguous": "h n n *H", "zx_vmo_create_child": "h n n n *H",
    "zx_vmo_replace_as_executable": "h h *H", "zx_vmo_read": "h *B n #", "zx_vmo_write": "h *b n #",
    "zx_vmo_get_size": "h *o", "zx_vmo_set_size": "h n", "zx_vmo_op_range": "h n n n z z",
    "zx_vmo_set_cache_policy": "h n",
    "zx_vmar_allocate": "h n n n *H *A", "zx_vmar_destroy": "h", "zx_vmar_map": "h n n h n n *A",
    "zx_vmar_unmap": "h a n", "zx_vmar_protect": "h n a n", "zx_vmar_op_range": "h n a n z z",
    "zx_bti_create": "h n n *H", "zx_bti_pin": "h n h n n *d # *H", "zx_bti_release_quarantine": "h",
    "zx_pmt_unpin": "h",
    "zx_iommu_create": "h n *b # *H",
    "syz_vmar_root_self": "", "get_root_resource": "",
}
RETURN_RESULTS = {"syz_vmar_root_self", "get_root_resource"}
WORDS = {"ZX_ERR_NO_RESOURCES", "ZX_ERR_INVALID_ARGS", "ZX_ERR_BAD_HANDLE", "ZX_ERR_BAD_STATE", "ZX_ERR_TIMED_OUT",
         "ZX_ERR_SHOULD_WAIT", "ZX_ERR_PEER_CLOSED", "ZX_ERR_ALREADY_EXISTS", "ZX_ERR_ACCESS_DENIED", "blocked",
         "unfinished"}
MEMORY_BYTES = 16 << 20  # that a program's pointers point into

NUMBER = r"0x(?:0|[1-9a-f][0-9a-f]{0,15})"
TOKEN = re.compile(rf"\s*({NUMBER}|r\d+|&AUTO\b|AUTO\b|@u64\b|\"(?:[0-9a-f]{{2}})*\"|<|=>|[=+/,\[\]{{}}()])")


class Wrong(Exception):
    """What is wrong with a line."""


class Line:
    """A call, token by token."""

    def __init__(self, text, results):
        self.text, self.at, self.results = text, 0, results
        self.defined = {}
        self.length = None  # of the last argument that had one: elements or bytes

    def next(self):
        match = TOKEN.match(self.text, self.at)
        return match.group(1) if match else None

    def take(self, pattern=None):
        token = self.next()
        if token is None or (pattern and not re.fullmatch(pattern, token)):
            raise Wrong(f"expected {pattern or 'anything'} at '{self.text[self.at:self.at + 40]}'")
        self.at = TOKEN.match(self.text, self.at).end()
        return token

    def accept(self, token):
        if self.next() != token:
            return False
        self.take()
        return True

    def number(self, least_above=1 << 64):
        value = int(self.take(NUMBER), 16)
        if value >= least_above:
            raise Wrong(f"{value:#x} is too large")
        return value

    def resource(self, kind):
        if not (self.next() or "").startswith("r"):
            self.number()
            return
        name = self.take(r"r\d+")
        if name not in self.results:
            raise Wrong(f"{name} is not defined")
        if self.results[name] != kind:
            raise Wrong(f"{name} is no {kind}")
        if self.accept("+"):
            self.number()

    def new_result(self, kind):
        if not self.accept("="):
            return
        self.take("<")
        name = self.take(r"r\d+")
        if name in self.results or name in self.defined:
            raise Wrong(f"{name} is defined twice")
        self.defined[name] = kind
        self.take("=>")
        self.take("0x0")

    def data(self, is_input):
        self.take("=")
        given = self.take(r'"[0-9a-f]*"')
        size = len(given) // 2 - 1
        if self.accept("/"):
            longer = self.number(MEMORY_BYTES)
            if longer < size:
                raise Wrong("the buffer is shorter than what is in it")
            size = longer
        if not is_input and given != '""':
            raise Wrong("an output has content")
        self.length = size

    def elements(self, one):
        count = 0
        self.take(r"\[")
        while not self.accept("]"):
            if count > 0:
                self.take(",")
            one()
            count += 1
        return count

    def packet(self):
        self.take("=")
        self.take(r"\{")
        self.number(16)
        for least_above in (1 << 32, 1 << 32):
            self.take(",")
            self.number(least_above)
        self.take(",")
        self.take("@u64")
        self.take("=")
        if self.elements(self.number) != 4:
            raise Wrong("a packet has four words")
        self.take(r"\}")

    def pointer(self, kind):
        if self.accept("0x0"):
            return
        self.take("&AUTO")
        if kind in "HA":
            self.new_result({"H": "handle", "A": "address"}[kind])
        elif kind in "bB":
            self.data(kind == "b")
        elif kind == "s":
            self.take("=")
            self.number()
            self.length = 8
        elif kind == "l":
            self.take("=")
            self.length = self.elements(lambda: self.resource("handle"))
        elif kind == "d":
            self.take("=")
            self.length = self.elements(lambda: self.take("0x0"))
        elif kind == "p":
            self.packet()

    def size(self):
        if self.accept("AUTO"):
            return
        value = self.number()
        if self.length is not None and value != self.length and value <= 1 << 16:
            raise Wrong(f"{value:#x} is not the length of the argument before it")

    def argument(self, kind):
        if kind[0] == "*":
            self.pointer(kind[1])
        elif kind[0] == "=":
            self.take(kind[1:])
        elif kind in "ha":
            self.resource({"h": "handle", "a": "address"}[kind])
        elif kind == "#":
            self.size()
        elif kind == "z":
            self.take("0x0")
        elif kind == "t":
            self.take("0x0|0x7fffffffffffffff")
        else:
            self.number({"k": 16, "q": 4}.get(kind, 1 << 64))


def read_call(text, results):
    match = re.fullmatch(r"(?:(r\d+) = )?([a-z_]+(?:\$[A-Z_]+)?)\((.*)\)(?: # (\S+))?", text)
    if not match:
        raise Wrong("this is no call")
    result, name, arguments, word = match.groups()
    if name not in CALLS:
        raise Wrong(f"there is no {name}")
    if word and word not in WORDS:
        raise Wrong(f"{word} is no word for how a call ends")
    if bool(result) != (name in RETURN_RESULTS):
        raise Wrong(f"{name} returns {'nothing' if result else 'a result'}")
    if result in results:
        raise Wrong(f"{result} is defined twice")
    line = Line(arguments, results)
    for i, kind in enumerate(CALLS[name].split()):
        if i > 0:
            line.take(",")
        line.argument(kind)
    if line.text[line.at:].strip():
        raise Wrong(f"too much: '{line.text[line.at:]}'")
    results.update(line.defined)
    if result:
        results[result] = "handle"


def read_program(text):
    """The number of calls, and of those that are said to be missing."""
    results, calls, missing, after_comment = {}, 0, 0, False
    for number, line in enumerate(text.splitlines(), 1):
        is_comment = line.startswith("#")
        missing += line.startswith("# missing, ")
        if line and not is_comment:
            if after_comment:
                raise Wrong(f"{number}: a call right behind a comment")
            try:
                read_call(line, results)
            except Wrong as wrong:
                raise Wrong(f"{number}: {wrong}: {line[:120]}") from wrong
            calls += 1
        after_comment = is_comment
    expected = re.search(r"^# (\d+) calls(?:, and (\d+) missing)?", text, re.MULTILINE)
    if not expected:
        raise Wrong("the program does not say how many calls it has")
    preamble = len(re.findall(r"^(?:r\d+ = |zx_iommu_create|zx_bti_create)", text, re.MULTILINE))
    if not calls - preamble - 1 <= int(expected[1]) <= calls - preamble or int(expected[2] or 0) != missing:
        raise Wrong(f"it says '{expected[0]}', and has {calls} with {preamble} before, and {missing} missing")
    return calls, missing


def main(files):
    total = missing_total = wrong = 0
    for file in files:
        try:
            with open(file, encoding="utf-8") as program:
                calls, missing = read_program(program.read())
        except Wrong as error:
            print(f"{file}:{error}")
            wrong += 1
            continue
        total += calls
        missing_total += missing
    print(f"{len(files) - wrong} programs are right and {wrong} wrong; {total} calls, {missing_total} missing")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
