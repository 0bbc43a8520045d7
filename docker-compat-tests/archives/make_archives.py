"""Archives in every format that tar programs write, and what an archive holds.

make DIR    writes DIR/NAME.tar each; those by GNU tar are made of a tree that is prepared in DIR
list        reads a tar from stdin and prints its entries as JSON, for the comparison of what went in and what came out
"""
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

TIME = 1_500_000_000


def entry(name, kind=tarfile.REGTYPE, **fields):
    made = tarfile.TarInfo(name)
    made.type = kind
    made.mtime = TIME
    made.mode = 0o644
    for key, value in fields.items():
        setattr(made, key, value)
    return made


def common():
    """What every format can say: each kind, each special bit."""
    data = b"content\n"
    return [
        (entry("d", tarfile.DIRTYPE, mode=0o1777, uid=5, gid=6), None),
        (entry("d/file", size=len(data), mode=0o4755, uid=7, gid=8), data),
        (entry("d/setgid", size=len(data), mode=0o2750), data),
        (entry("d/empty", mode=0), b""),
        (entry("d/block", size=512), b"b" * 512),
        (entry("d/blocks", size=1025), b"c" * 1025),
        # Not to the setuid one: dockerd loses its bit, as it sets the owner again.
        (entry("d/hard", tarfile.LNKTYPE, linkname="d/block"), None),
        (entry("d/soft", tarfile.SYMTYPE, linkname="file", uid=9, gid=10, mode=0o777), None),
        (entry("d/dangling", tarfile.SYMTYPE, linkname="/none/../none", mode=0o777), None),
        (entry("d/fifo", tarfile.FIFOTYPE, mode=0o600), None),
    ]


def devices():
    return [
        (entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666), None),
        (entry("disk", tarfile.BLKTYPE, devmajor=8, devminor=1, mode=0o660), None),
    ]


def long_names():
    """Beyond 100 bytes, beyond ustar's 255, and a link to one."""
    deep = "/".join(["p" * 60] * 5)
    return [
        (entry("n" * 200, size=1), b"n"),
        (entry(deep + "/" + "q" * 150, size=1), b"q"),
        (entry("to-long", tarfile.SYMTYPE, linkname="t" * 300, mode=0o777), None),
        (entry("hard-long", tarfile.LNKTYPE, linkname="n" * 200), None),
        (entry("gr\u00fc\u00dfe-\u4e16\u754c", size=1), b"u"),
    ]


def big_ids():
    return [(entry("ids", uid=3_000_000, gid=2_000_000_000, size=1), b"i")]


def archive(entries, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for info, data in entries:
            tar.addfile(info, None if data is None else io.BytesIO(data))
    return out.getvalue()


# ---- by hand: what tarfile does not write ----


def checksummed(block):
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def header(name, kind=b"0", size=b"%011o\0" % 0, link=b"", magic=b"ustar\x0000", mode=0o644, tail=b"", uid=b"%07o\0" % 0):
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:108] = b"%07o\0" % mode
    block[108:116] = uid
    block[116:124] = b"%07o\0" % 0
    block[124:136] = size
    block[136:148] = b"%011o\0" % TIME
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257 : 257 + len(magic)] = magic
    block[345 : 345 + len(tail)] = tail
    return checksummed(block)


def octal(value):
    return b"%011o\0" % value


def base256(value, width=12):
    return b"\x80" + value.to_bytes(width - 1, "big")


def padded(data):
    return data + b"\0" * (-len(data) % 512)


END = b"\0" * 1024
OLD_GNU = b"ustar  \0"


def pax(records, kind=b"x"):
    text = b""
    for key, value in records:
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest)
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        text += str(length).encode() + rest
    return header(b"pax", kind, octal(len(text))) + padded(text)


def plain(name=b"file", data=b"content\n", **fields):
    return header(name, size=octal(len(data)), **fields) + padded(data)


def old_sparse(pieces):
    """The form of GNU tar before PAX: four pieces in the header, 21 in each block after it."""
    block = bytearray(header(b"sparse", b"S", octal(sum(size for _, size in pieces)), magic=OLD_GNU))
    texts = [octal(offset) + octal(size) for offset, size in pieces]
    for index, text in enumerate(texts[:4]):
        block[386 + 24 * index : 410 + 24 * index] = text
    block[482] = len(texts) > 4
    block[483:495] = octal(pieces[-1][0] + pieces[-1][1] + 1000)
    made = checksummed(block)
    rest = texts[4:]
    while rest:
        more = bytearray(512)
        for index, text in enumerate(rest[:21]):
            more[24 * index : 24 * index + 24] = text
        rest = rest[21:]
        more[504] = bool(rest)
        made += bytes(more)
    return made + padded(b"".join(bytes([65 + i % 26]) * size for i, (_, size) in enumerate(pieces))) + END


PIECES = [(4096 * i, 100 + i) for i in range(1, 31)]
# Ends with 1000 bytes of hole.
REAL = PIECES[-1][0] + PIECES[-1][1] + 1000
DATA = b"".join(bytes([65 + i % 26]) * size for i, (_, size) in enumerate(PIECES))


def sparse_00():
    records = [(b"GNU.sparse.size", b"%d" % REAL), (b"GNU.sparse.numblocks", b"%d" % len(PIECES))]
    for offset, size in PIECES:
        records += [(b"GNU.sparse.offset", b"%d" % offset), (b"GNU.sparse.numbytes", b"%d" % size)]
    return pax(records) + plain(b"sparse", DATA) + END


def sparse_01():
    numbers = b",".join(b"%d,%d" % piece for piece in PIECES)
    records = [
        (b"GNU.sparse.size", b"%d" % REAL),
        (b"GNU.sparse.numblocks", b"%d" % len(PIECES)),
        (b"GNU.sparse.name", b"sparse"),
        (b"GNU.sparse.map", numbers),
    ]
    return pax(records) + plain(b"GNUSparseFile.1/sparse", DATA) + END


def sparse_10():
    numbers = padded(b"%d\n" % len(PIECES) + b"".join(b"%d\n%d\n" % piece for piece in PIECES))
    records = [
        (b"GNU.sparse.major", b"1"),
        (b"GNU.sparse.minor", b"0"),
        (b"GNU.sparse.name", b"sparse"),
        (b"GNU.sparse.realsize", b"%d" % REAL),
    ]
    return pax(records) + plain(b"GNUSparseFile.1/sparse", numbers + DATA) + END


def long_entry(kind, text):
    return header(b"././@LongLink", kind, octal(len(text) + 1), magic=OLD_GNU) + padded(text + b"\0")


def by_hand():
    yield "v7-slash", header(b"dir/", b"\0", magic=b"", mode=0o755) + plain(b"dir/file", magic=b"", kind=b"\0") + END
    yield "contiguous", plain(b"file", kind=b"7") + END
    yield "base256-size", header(b"file", size=base256(8), magic=OLD_GNU) + padded(b"content\n") + END
    yield "base256-owner", header(b"file", uid=base256(3_000_000, 8), magic=OLD_GNU) + END
    # `star` ends its prefix 24 bytes earlier; times stand there.
    star = bytearray(header(b"file", tail=b"prefix"))
    star[508:512] = b"tar\0"
    yield "star", checksummed(star) + END
    yield "ustar-prefix", header(b"q" * 100, tail=b"p" * 150) + END
    yield "spaced-numbers", header(b"file", size=b"         10 ") + padded(b"content\n") + END
    yield "global-pax", pax([(b"comment", b"all"), (b"mtime", b"1")], b"g") + plain() + END
    yield "volume-label", header(b"label", b"V", magic=OLD_GNU) + plain() + END
    yield "pax-path", pax([(b"path", b"other"), (b"uid", b"77"), (b"mtime", b"1600000000.123456789")]) + plain() + END
    yield "pax-size", pax([(b"size", b"8")]) + header(b"file") + padded(b"content\n") + END
    yield "pax-taken-back", pax([(b"path", b"")]) + plain() + END
    yield "pax-xattr", pax([(b"SCHILY.xattr.user.bytes", b"\0\xff\n=")]) + plain() + END
    capability = bytes.fromhex("0100000200200000000000000000000000000000")
    yield "pax-capability", pax([(b"SCHILY.xattr.security.capability", capability)]) + plain() + END
    yield "gnu-long-both", (
        long_entry(b"L", b"l" * 150) + long_entry(b"K", b"k" * 250) + header(b"l", b"2", link=b"k", magic=OLD_GNU, mode=0o777) + END
    )
    yield "sparse-old-short", old_sparse(PIECES[:3])
    yield "sparse-old-long", old_sparse(PIECES)
    yield "sparse-0.0-many", sparse_00()
    yield "sparse-0.1-many", sparse_01()
    yield "sparse-1.0-many", sparse_10()
    yield "no-end", plain()
    yield "one-zero-block", plain() + b"\0" * 512
    yield "rubbish-after-end", plain() + END + b"rubbish" * 300
    yield "twice-the-same", plain(data=b"first") + plain(data=b"second") + END
    yield "dot-names", header(b"./", b"5", mode=0o700) + plain(b"./a/../file") + END
    yield "absolute", plain(b"/file") + END
    yield "nothing", b""
    yield "only-end", END
    # ---- and what is wrong ----
    yield "bad-rubbish", bytes(range(256)) * 8
    yield "bad-text", b"this is no archive\n" * 100
    yield "bad-short", b"short"
    yield "bad-checksum", b"X" + plain()[1:] + END
    yield "bad-cut-header", plain()[:300]
    yield "bad-cut-data", plain(data=b"x" * 2000)[:1500]
    yield "cut-padding", plain()[:520]
    yield "bad-type", plain(kind=b"Z") + END
    yield "bad-climb", plain(b"../../file") + END
    yield "bad-hard-link", header(b"hard", b"1", link=b"none") + END
    yield "bad-pax", header(b"pax", b"x", octal(8)) + padded(b"99 bad=\n") + plain() + END
    yield "bad-number", header(b"file", size=b"abcdefghijk\0") + END
    yield "bad-sparse-order", old_sparse([(8192, 10), (4096, 10)])
    yield "bad-zero-block-between", plain() + b"\0" * 512 + plain(b"later") + END


def by_gnu_tar(directory):
    tree = os.path.join(directory, "tree")
    os.mkdir(tree)
    with open(os.path.join(tree, "sparse"), "wb") as file:
        for offset in (0, 100 << 10, 300 << 10):
            file.seek(offset)
            file.write(b"s" * 5000)
        file.truncate(500 << 10)
    with open(os.path.join(tree, "hole"), "wb") as file:
        file.truncate(100 << 10)
    with open(os.path.join(tree, "x" * 120), "wb") as file:
        file.write(b"long\n")
    os.link(os.path.join(tree, "x" * 120), os.path.join(tree, "hard"))
    os.symlink("y" * 120, os.path.join(tree, "link"))
    for name in os.listdir(tree):
        os.utime(os.path.join(tree, name), ns=(TIME * 10**9, TIME * 10**9 + 123_456_789), follow_symlinks=False)

    def made(*arguments):
        names = ["sparse", "hole"] if "v7" in arguments[0] or "ustar" in arguments[0] else ["."]
        command = ["tar", "-C", tree, "--sort=name", "--numeric-owner", "--owner=11", "--group=12", "-cf", "-"]
        return subprocess.run([*command, *arguments, *names], check=True, stdout=subprocess.PIPE).stdout

    for form in ("v7", "oldgnu", "gnu", "ustar", "pax"):
        yield f"tar-{form}", made(f"--format={form}")
    yield "tar-oldgnu-sparse", made("--format=oldgnu", "--sparse")
    yield "tar-gnu-sparse", made("--format=gnu", "--sparse")
    for version in ("0.0", "0.1", "1.0"):
        yield f"tar-pax-sparse-{version}", made("--format=pax", "--sparse", f"--sparse-version={version}")


def all_archives(directory):
    for name, form in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        yield f"{name}-kinds", archive(common(), form)
        yield f"{name}-devices", archive(devices(), form)
        if name != "ustar":
            yield f"{name}-long-names", archive(long_names(), form)
            yield f"{name}-ids", archive(big_ids(), form)
    for fraction in (0.5, 0.25, 1e-6, -3.5):
        yield f"pax-time{fraction}", archive([(entry("timed", mtime=TIME + fraction if fraction > 0 else fraction, size=1), b"t")], tarfile.PAX_FORMAT)
    yield from by_hand()
    yield from by_gnu_tar(directory)


# ---- what an archive holds ----

KINDS = {b"0": "file", b"\0": "file", b"7": "file", b"S": "file", b"1": "link", b"2": "symlink", b"3": "char", b"4": "block", b"5": "directory", b"6": "fifo"}


def time_of(info):
    """Nanoseconds by the record's own digits: a float would round them."""
    text = info.pax_headers.get("mtime")
    if text is None:
        return str(int(info.mtime))
    return text.rstrip("0").rstrip(".") if "." in text else text


def listed(data):
    entries = []
    with tarfile.open(fileobj=io.BytesIO(data), ignore_zeros=False) as tar:
        for info in tar:
            kind = KINDS.get(info.type, str(info.type))
            made = {"name": info.name, "kind": kind, "mode": f"{info.mode & 0o7777:o}", "owner": f"{info.uid}:{info.gid}", "time": time_of(info)}
            if kind in ("link", "symlink"):
                made["target"] = info.linkname
            if kind in ("char", "block"):
                made["device"] = f"{info.devmajor}:{info.devminor}"
            if kind == "file":
                content = tar.extractfile(info).read()
                made["size"] = len(content)
                made["sha256"] = hashlib.sha256(content).hexdigest()
            attributes = {key[13:]: value.encode("utf-8", "surrogateescape").hex() for key, value in info.pax_headers.items() if key.startswith("SCHILY.xattr.")}
            if attributes:
                made["attributes"] = attributes
            entries.append(made)
    return entries


def main():
    if sys.argv[1] == "make":
        for name, data in all_archives(sys.argv[2]):
            with open(os.path.join(sys.argv[2], f"{name}.tar"), "wb") as file:
                file.write(data)
    else:
        # Several at once: a start of Python takes longer than the work. Each argument is a file.
        result = []
        for path in sys.argv[2:]:
            with open(path, "rb") as file:
                data = file.read()
            try:
                result.append(listed(data))
            except (tarfile.TarError, EOFError) as error:
                result.append(str(error))
        json.dump(result, sys.stdout)


main()
