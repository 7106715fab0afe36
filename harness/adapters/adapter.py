#!/usr/bin/env python3
"""A complete adapter for the line protocol (docs/line-protocol.md), around an implementation of five calls.

To put another implementation under test, replace World: `reset`, and one method a call, which gets the arguments as
texts and returns the status and what it writes, by the place of the argument. Calls that have no method are refused.
    pagerite diff --exec "python3 adapter.py" --unsupported LIST TRACES
"""
import re
import sys


class World:
    """VMOs without pagers, children and mappings: sparse pages behind handles."""

    def __init__(self, page_size=4096):
        self.page_size = page_size
        self.vmos = {}  # by handle: size in bytes, pages by number
        self.last_handle = 3  # values end in binary 11 and are never used again

    def zx_vmo_create(self, size, options, _out):
        size, options = int(size), int(options)
        unbounded, rounded = options & 16, -(-size // self.page_size) * self.page_size
        limit = 2**64 - 32 * self.page_size
        if unbounded and options & 2:
            return "ZX_ERR_INVALID_ARGS", {}
        if not unbounded and rounded >= 2**64:
            return "ZX_ERR_OUT_OF_RANGE", {}
        if options & ~(2 | 4 | 16):
            return "ZX_ERR_INVALID_ARGS", {}
        if not unbounded and rounded > limit:
            return "ZX_ERR_OUT_OF_RANGE", {}
        self.last_handle += 4
        self.vmos[self.last_handle] = (limit if unbounded else rounded, {})
        return "ZX_OK", {2: "[%d]" % self.last_handle}

    def zx_vmo_get_size(self, vmo, out):
        if int(vmo) not in self.vmos:
            return "ZX_ERR_BAD_HANDLE", {}
        return "ZX_OK", {} if out == "0" else {1: "[%d]" % self.vmos[int(vmo)][0]}

    def zx_vmo_read(self, vmo, buffer, offset, size):
        status = self.check(vmo, buffer, int(offset), int(size))
        if status != "ZX_OK" or buffer != "_":
            return status, {}
        data = bytearray()
        for page, begin, end in self.pieces(int(offset), int(size)):
            data += self.vmos[int(vmo)][1].get(page, bytes(self.page_size))[begin:end]
        return status, {1: show_bytes(bytes(data), self.page_size)}

    def zx_vmo_write(self, vmo, buffer, offset, size):
        status = self.check(vmo, buffer, int(offset), int(size))
        if status != "ZX_OK" or buffer.startswith("at("):
            return status, {}
        data, pages, at = read_bytes(buffer, int(size), self.page_size), self.vmos[int(vmo)][1], 0
        for page, begin, end in self.pieces(int(offset), int(size)):
            pages.setdefault(page, bytearray(self.page_size))[begin:end] = data[at:at + end - begin]
            at += end - begin
        return status, {}

    def zx_handle_close(self, handle):
        closes = int(handle) == 0 or self.vmos.pop(int(handle), None) is not None
        return "ZX_OK" if closes else "ZX_ERR_BAD_HANDLE", {}

    def check(self, vmo, buffer, offset, size):
        """What reading and writing ask before they touch anything."""
        if int(vmo) not in self.vmos:
            return "ZX_ERR_BAD_HANDLE"
        if offset + size > self.vmos[int(vmo)][0]:
            return "ZX_ERR_OUT_OF_RANGE"
        # Nothing is ever mapped, so that no address is good for a buffer.
        return "ZX_ERR_NOT_FOUND" if buffer.startswith("at(") and size > 0 else "ZX_OK"

    def pieces(self, offset, size):
        """The range page by page: the page's number, where the range begins and ends in it."""
        while size > 0:
            begin = offset % self.page_size
            part = min(size, self.page_size - begin)
            yield offset // self.page_size, begin, begin + part
            offset, size = offset + part, size - part


def read_bytes(text, size, page_size):
    """The bytes that a buffer in a line stands for: fill(B), pages(B, ...), "text" or _."""
    if text == "_":
        return bytes((0x5A + i) & 255 for i in range(size))
    if text.startswith("fill("):
        return bytes([int(text[5:-1])]) * size
    if text.startswith("pages("):
        values = [int(value) for value in text[6:-1].split(",")]
        last = len(values) - 1
        return b"".join(bytes([values[min(i, last)]]) * page_size for i in range(-(-size // page_size)))[:size]
    escapes = {"n": "\n", "t": "\t"}
    meant = lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else escapes.get(m[1], m[1])
    return re.sub(r"\\(x..|.)", meant, text[1:-1]).encode("latin-1").ljust(size, b"\0")


def show_bytes(data, page_size):
    """The shortest form."""
    firsts = [data[i] for i in range(0, len(data), page_size)] or [0]
    while len(firsts) > 1 and firsts[-1] == firsts[-2]:
        firsts.pop()
    pages = "pages(%s)" % ", ".join(map(str, firsts)) if len(firsts) > 1 else "fill(%d)" % firsts[0]
    plain = data.rstrip(b"\0")
    string = '"%s"' % "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else "\\x%02x" % b for b in plain)
    same = read_bytes(pages, len(data), page_size) == data
    return pages if same and len(pages) <= len(string) else string


def split(text):
    """Arguments at their commas, brackets and strings kept whole."""
    string = r'"(?:[^"\\]|\\.)*"'
    parts = re.findall(r'(?:%s|\([^()]*\)|\[[^\[\]]*\]|\{(?:[^{}"]|%s)*\}|[^,"(\[{])+' % (string, string), text)
    return [part.strip() for part in parts]


def answer(world, line):
    """The lines of the answer, and the world that goes on."""
    call = re.fullmatch(r"(\[\w+\] )?(\w+)\((.*)\)", line)
    if line == "reset":
        return ["vmar=0 bti=0 resource=0 event=0"], World()
    if re.fullmatch(r"option page_size \d+", line):
        return [], World(int(line.split()[2]))
    if line.startswith("option "):  # no call of ours depends on the others
        known = re.fullmatch(r"option (read_batch|fail_codes|supply_failure) \w+", line)
        return [] if known else ["!unsupported"], world
    if world is None or call is None:
        return ["!error expected reset, an option or a call"], world
    function = getattr(world, call[2], None) if call[2].startswith("zx_") else None
    if function is None:
        return ["!unsupported"], world
    try:
        arguments = split(call[3])
        status, outputs = function(*arguments)
    except (TypeError, ValueError, IndexError) as problem:
        return ["!error %s" % problem], world
    said = [outputs.get(place, argument) for place, argument in enumerate(arguments)]
    return ["%s%s(%s) = %s" % (call[1] or "", call[2], ", ".join(said), status)], world


def main():
    world = None
    for line in sys.stdin:
        lines, world = answer(world, line.rstrip("\n"))
        print("\n".join(lines + ["."]), flush=True)


main()
