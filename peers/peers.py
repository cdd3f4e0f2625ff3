"""Compares the look-alike detector with the tools that others would take, on the same data.

Usage: peers.py BINARY DIR WORK. DIR holds protected.tsv and positives.tsv, see
crates/lookalike/src/lab/accounts.rs; WORK is a folder for what is made on the way. Each system
runs in a process of its own, one after the other, on one thread; rates are by the time that it
computed, so that others on the machine count little, latencies by the clock. Prints one Markdown
table.
`peers.py --child SYSTEM FILE...` is one such process: it prints a line of JSON.
"""

import importlib
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

ATTACKS = 1_120
BLOCK = 16  # queries of one call of cdist
BEST = 10
HASHES = 1_000_000
HASH_QUERIES = 2_048
RADIUS = 31
IMAGES = 1_000
IMAGE_SIDE = 512
SEED = 20260801


# The children: one system each.


def resident():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise OSError("no VmRSS")


def lines(path):
    return Path(path).read_text(encoding="utf-8").split("\n")[:-1]


def place(best, subject):
    return best.index(subject) + 1 if subject in best else 0


def rapidfuzz(protected, attacks, osa):
    """Whole rows of the matrix in blocks; choosing the best of a row is not timed."""
    import numpy
    from rapidfuzz import fuzz, process
    from rapidfuzz.distance import OSA

    attacks = [line.split("\t") for line in lines(attacks)]
    before = resident()
    handles = [handle.lower() for handle in lines(protected)]
    size = (resident() - before) / len(handles)
    asked = {"scorer": OSA.distance, "score_cutoff": 2, "dtype": numpy.uint8}
    if not osa:
        asked = {"scorer": fuzz.ratio, "dtype": numpy.float32}
    seconds, places = 0.0, []
    for first in range(0, len(attacks), BLOCK):
        block = attacks[first : first + BLOCK]
        start = time.process_time()
        rows = process.cdist([handle.lower() for _, handle in block], handles, workers=1, **asked)
        seconds += time.process_time() - start
        for row, (subject, _) in zip(rows, block):
            far = row.astype(numpy.float32) if osa else -row
            mark = numpy.partition(far, BEST)[BEST]
            near = numpy.flatnonzero(far <= mark)
            near = near[numpy.argsort(far[near], kind="stable")][:BEST]
            near = [number for number in near.tolist() if not osa or row[number] <= 2]
            places.append(place(near, int(subject)))
    return {"bytes": size, "seconds": seconds, "places": places}


def hash_files(hashes, queries):
    import numpy

    read = lambda path: numpy.fromfile(path, dtype=numpy.uint8).reshape(-1, 32)
    hashes, queries = read(hashes), read(queries)
    return hashes, queries, len(hashes) // len(queries)


def faiss_index(hashes, queries, kind):
    """The rate is of all queries at once, as faiss is fastest; the times are of one by one."""
    import faiss

    faiss.omp_set_num_threads(1)
    hashes, queries, step = hash_files(hashes, queries)
    before = resident()
    if kind == "flat":
        index = faiss.IndexBinaryFlat(256)
    else:
        index = faiss.IndexBinaryMultiHash(256, 16, 16)
        index.nflip = RADIUS // 16
    index.add(hashes)
    size = (resident() - before) / len(hashes)
    nanoseconds, places = [], []
    for number in range(len(queries)):
        start = time.perf_counter_ns()
        _, _, found = index.range_search(queries[number : number + 1], RADIUS + 1)
        nanoseconds.append(time.perf_counter_ns() - start)
        places.append(int(number * step in found))
    start = time.process_time()
    index.range_search(queries, RADIUS + 1)
    seconds = time.process_time() - start
    return {"bytes": size, "seconds": seconds, "nanoseconds": nanoseconds, "places": places}


def threatexchange(hashes, queries):
    import faiss
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex

    faiss.omp_set_num_threads(1)
    hashes, queries, step = hash_files(hashes, queries)
    before = resident()
    index = PDQIndex((row.tobytes().hex(), number) for number, row in enumerate(hashes))
    size = (resident() - before) / len(hashes)
    nanoseconds, places, computed = [], [], time.process_time()
    for number, query in enumerate(queries):
        query = query.tobytes().hex()
        start = time.perf_counter_ns()
        found = index.query(query)
        nanoseconds.append(time.perf_counter_ns() - start)
        places.append(int(any(match.metadata == number * step for match in found)))
    seconds = time.process_time() - computed
    return {"bytes": size, "seconds": seconds, "nanoseconds": nanoseconds, "places": places}


def pdqhash(listed):
    import numpy
    import pdqhash
    from PIL import Image

    nanoseconds, hashes = [], []
    for path in lines(listed):
        picture = numpy.asarray(Image.open(path).convert("RGB"))
        start = time.perf_counter_ns()
        bits, _ = pdqhash.compute(picture)
        nanoseconds.append(time.perf_counter_ns() - start)
        hashes.append(numpy.packbits(bits.astype(numpy.uint8)).tobytes().hex())
    return {"nanoseconds": nanoseconds, "hashes": hashes}


CHILDREN = {
    "rapidfuzz-ratio": lambda *files: rapidfuzz(*files, osa=False),
    "rapidfuzz-osa": lambda *files: rapidfuzz(*files, osa=True),
    "faiss-flat": lambda *files: faiss_index(*files, kind="flat"),
    "faiss-multihash": lambda *files: faiss_index(*files, kind="multihash"),
    "threatexchange": threatexchange,
    "pdqhash": pdqhash,
}


# The data.


def make_handles(folder, work):
    """Handles alone, and attacks taken at equal steps from each kind that is of the handle."""
    numbers = {}
    with open(f"{folder}/protected.tsv", encoding="utf-8") as source:
        with open(work / "handles", "w", encoding="utf-8") as out:
            for number, line in enumerate(source):
                fields = line.split("\t", 2)
                numbers[fields[0]] = number
                out.write(fields[1] + "\n")
    kinds = {}
    with open(f"{folder}/positives.tsv", encoding="utf-8") as source:
        for line in source:
            fields = line.rstrip("\n").split("\t")
            if fields[9].startswith(("t_", "a_")):
                kinds.setdefault(fields[9], []).append((numbers[fields[10]], fields[1]))
    taken = []
    for kind, attacks in sorted(kinds.items()):
        count = min(len(attacks), round(ATTACKS / len(kinds)))
        taken += [(kind, *attacks[place * len(attacks) // count]) for place in range(count)]
    with open(work / "attacks", "w", encoding="utf-8") as out:
        out.writelines(f"{number}\t{handle}\n" for _, number, handle in taken)
    return len(numbers), [kind for kind, _, _ in taken]


def make_hashes(work):
    """Random hashes; queries are some of them with 0 to 31 bits turned over, equally often."""
    import numpy

    rng = numpy.random.default_rng(SEED)
    hashes = rng.integers(0, 256, (HASHES, 32), dtype=numpy.uint8)
    hashes.tofile(work / "hashes")
    bits = numpy.unpackbits(hashes[:: HASHES // HASH_QUERIES][:HASH_QUERIES], axis=1)
    for number, row in enumerate(bits):
        row[rng.choice(256, number % (RADIUS + 1), replace=False)] ^= 1
    numpy.packbits(bits, axis=1).tofile(work / "queries")


def make_images(work):
    """Pictures found in Python packages: as they are, cut out and at other sizes, as PNG."""
    from PIL import Image

    rng, found = random.Random(SEED), []
    for package in ["skimage", "sklearn", "matplotlib", "networkx", "scipy", "imageio"]:
        try:
            root = Path(importlib.import_module(package).__file__).parent
        except ImportError:
            continue
        for path in sorted(root.rglob("*")):
            if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp", ".gif", ".tif", ".tiff"}:
                try:
                    with Image.open(path) as image:
                        if min(image.size) >= 64:
                            found.append(image.convert("RGB"))
                except OSError:
                    continue
    folder = work / "images"
    folder.mkdir(exist_ok=True)
    listed = []
    for number in range(IMAGES if found else 0):
        image = found[number % len(found)]
        if number >= len(found):
            width, height = (round(side * rng.uniform(0.3, 1)) for side in image.size)
            left, top = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
            image = image.crop((left, top, left + width, top + height))
        side = rng.randint(64, IMAGE_SIDE)
        scale = min(side, max(image.size)) / max(image.size)
        size = [max(16, round(length * scale)) for length in image.size]
        listed.append(str(folder / f"{number}.png"))
        image.resize(size, Image.Resampling.LANCZOS).save(listed[-1])
    (work / "images.txt").write_text("".join(f"{path}\n" for path in listed))
    return len(listed), len(found)


# The comparison.


class Skipped(Exception):
    """Why something could not be measured."""


def run(command):
    # Freed memory goes back to the system, so that what is left is what is held.
    threads = {name: "1" for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"]}
    trim = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads | trim)
    said = done.stderr.strip().split("\n")
    if done.returncode != 0:
        raise Skipped(f"it ended with {done.returncode}: {said[-1]}")
    for line in filter(None, said):
        print(f"    {line}", file=sys.stderr)
    return json.loads(done.stdout.split("\n")[-2]) if done.stdout.strip() else {}


def percentile(result, share):
    ordered = sorted(result.get("nanoseconds", []))
    if not ordered:
        return "–"
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6:.3g}"


def share(places, most):
    return f"{sum(0 < place <= most for place in places) / len(places):.3f}"


def compare(title, systems, ranked):
    """Rows of one comparison; the first system is ours, to which the others are compared."""
    rows, ours = [], None
    for name, command in systems:
        print(f"{title}: {name} …", file=sys.stderr, flush=True)
        try:
            result = run(command) if not callable(command) else command()
        except Skipped as why:
            rows.append(f"| {title} | {name} | skipped, because {why} | | | | | |")
            continue
        rate = len(result["places"]) / result["seconds"]
        ours = ours or rate
        recall = [share(result["places"], most) for most in ([1, BEST] if ranked else [1])]
        rows.append(
            f"| {title} | {name} | {rate:,.0f} | {percentile(result, 0.5)} / "
            f"{percentile(result, 0.99)} | {' | '.join(recall + ['–'] * (2 - len(recall)))} "
            f"| {result['bytes']:,.0f} | {ours / rate:.3g} |"
        )
        result["name"] = name
        yield result
    print("\n".join(rows), flush=True)


def by_kind(kinds, results):
    """Recall among the best ten for each kind of attack, on stderr: where each one is blind."""
    for kind in sorted(set(kinds)):
        of = [
            share([place for place, its in zip(result["places"], kinds) if its == kind], BEST)
            for result in results
        ]
        print(f"{kind:18}", *of, file=sys.stderr)
    print(" " * 18, *(result["name"] for result in results), sep="  ", file=sys.stderr)


def compare_images(binary, child, work):
    """How many pictures have the same hash but for two bits, and how long hashing takes."""
    try:
        count, sources = make_images(work)
        if count == 0:
            raise Skipped("no picture was found in a Python package")
        ours = run([binary, "pictures", work / "images.txt"])
        theirs = run([*child, "pdqhash", work / "images.txt"])
    except (Skipped, ImportError) as why:
        print(f"| PDQ of images | PyPI pdqhash | skipped, because {why} | | | | | |")
        return
    apart = [
        (int(a, 16) ^ int(b, 16)).bit_count() for a, b in zip(ours["hashes"], theirs["hashes"])
    ]
    equal = sum(bits <= 2 for bits in apart)
    ours, theirs = (
        (name, count / (sum(result["nanoseconds"]) / 1e9), result)
        for name, result in [("ours", ours), ("PyPI pdqhash", theirs)]
    )
    for name, rate, result in [ours, theirs]:
        print(
            f"| PDQ of {count:,} images, hashing only | {name} | {rate:,.0f} | "
            f"{percentile(result, 0.5)} / {percentile(result, 0.99)} | – | – | – "
            f"| {ours[1] / rate:.3g} |"
        )
    print(
        f"\nPDQ equals PyPI pdqhash within 2 bits on {equal} of {count} images, cut from {sources} "
        f"pictures, up to {IMAGE_SIDE} pixels; at most {max(apart)} bits apart, "
        f"{sum(bits == 0 for bits in apart)} equal."
    )


def main(binary, folder, work):
    work = Path(work)
    work.mkdir(parents=True, exist_ok=True)
    child = [sys.executable, __file__, "--child"]
    count, kinds = make_handles(folder, work)
    files = [work / "handles", work / "attacks"]
    print("| work | system | queries/s | p50 / p99 ms | recall@1 | @10 | bytes each | ours / its |")
    print("|---|---|---|---|---|---|---|---|", flush=True)

    def tantivy():
        built = work / "tantivy"
        subprocess.run(["rm", "-rf", built], check=True)
        built.mkdir()
        run([binary, "tantivy-build", files[0], built])
        return run([binary, "tantivy", *files, built])

    title = f"{len(kinds):,} handles, {count:,} protected"
    systems = [
        ("ours, by likeness", [binary, "likeness", *files]),
        ("ours, by score", [binary, "score", *files]),
        ("RapidFuzz cdist ratio", [*child, "rapidfuzz-ratio", *files]),
        ("RapidFuzz cdist OSA ≤ 2", [*child, "rapidfuzz-osa", *files]),
        ("tantivy fuzzy 2", tantivy),
        ("SymSpell 2", [binary, "symspell", *files]),
    ]
    by_kind(kinds, list(compare(title, systems, ranked=True)))

    title = f"PDQ within {RADIUS}, {HASHES:,} hashes"
    files = [work / "hashes", work / "queries"]
    systems = [("ours", [binary, "hashes", *files])]
    for name, system in [
        ("faiss IndexBinaryFlat", "faiss-flat"),
        ("faiss IndexBinaryMultiHash", "faiss-multihash"),
        ("ThreatExchange PDQIndex", "threatexchange"),
    ]:
        systems.append((name, [*child, system, *files]))
    make_hashes(work)
    list(compare(title, systems, ranked=False))
    compare_images(binary, child, work)


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        print(json.dumps(CHILDREN[sys.argv[2]](*sys.argv[3:])))
    else:
        main(*sys.argv[1:])
