"""Write streams.txt: the contract of the streams, computed a second time from its words alone.

Run `python make_streams.py > streams.txt` with NumPy present; the Rust tests read the file. It is
plain Python, slow and obvious, so that it can be checked against the documentation by eye.
"""

import numpy

M32, M64 = 2**32 - 1, 2**64 - 1


def philox(key, counter):
    k0, k1 = key
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = p1 >> 32 ^ c1 ^ k0, p1 & M32, p0 >> 32 ^ c3 ^ k1, p0 & M32
        k0, k1 = k0 + 0x9E3779B9 & M32, k1 + 0xBB67AE85 & M32
    return [c0, c1, c2, c3]


def words32(x, n):
    return [x >> 32 * i & M32 for i in range(n)]


def absorb(seed, name, purpose):
    data = name.encode()
    blocks = [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]
    h = words32(seed, 4)
    for m in [*blocks, len(data) | purpose << 56]:
        h = [x ^ y for x, y in zip(philox(words32(m, 2), h), h)]
    return h


def child(seed, name):
    return sum(w << 32 * i for i, w in enumerate(absorb(seed, name, 1)))


class Streams:
    def __init__(self, seed, name):
        h = absorb(seed, name, 2)
        self.key, self.nonce = h[:2], h[2] | h[3] << 32

    def block(self, task, block):
        return philox(self.key, words32(task, 2) + words32(self.nonce ^ block, 2))

    def task(self, task):
        """Yield the words of one task, for ever."""
        lanes = []
        for lane in range(8):
            low, high = (self.block(task, 2**32 + i) for i in (lane, lane + 8))
            lanes.append([a | b << 32 for a, b in (low[:2], low[2:], high[:2], high[2:])])
        while True:
            for s in lanes:
                yield rotl(s[0] + s[3] & M64, 23) + s[0] & M64
                t = s[1] << 17 & M64
                s[2] ^= s[0]
                s[3] ^= s[1]
                s[1] ^= s[2]
                s[0] ^= s[3]
                s[2] ^= t
                s[3] = rotl(s[3], 45)


def rotl(x, k):
    return (x << k | x >> 64 - k) & M64


def below(words, n):
    while True:
        product = next(words) * n
        if product & M64 >= 2**64 % n:
            return product >> 64


def fill_below(words, n, count):
    out = []
    while len(out) < count:
        for half in [h for w in [next(words) for _ in range(8)] for h in words32(w, 2)]:
            if half * n & M32 >= 2**32 % n:
                out.append(half * n >> 32)
    return out[:count]


SEEDS = [0, 42, 2**128 - 1]
NAMES = ["", "pi", "bootstrap", "größe ≠ 0, long name"]

print("# Addresses of our own, computed by make_streams.py; the first word of a line says what it")
print(
    "# holds. Words are hexadecimal, seeds decimal; names stand in quotes at the end of the line."
)
print("\n# child: seed, child's seed, name")
for seed in SEEDS:
    for name in NAMES:
        print(f'child {seed} {child(seed, name)} "{name}"')
print("\n# bits: seed, task, block, four words of 32 bits, name")
for seed, task, block, name in [(0, 0, 0, ""), (42, 7, 3, "pi"), (SEEDS[2], M64, M32, NAMES[3])]:
    out = " ".join(f"{w:08x}" for w in Streams(seed, name).block(task, block))
    print(f'bits {seed} {task} {block} {out} "{name}"')
print("\n# word: seed, task, position, word of 64 bits, name")
for seed, task, name in [
    (0, 0, ""),
    (42, 1, "pi"),
    (42, 2**40 + 5, "bootstrap"),
    (SEEDS[2], M64, NAMES[3]),
]:
    words = [w for w, _ in zip(Streams(seed, name).task(task), range(1000))]
    for position in [0, 1, 7, 8, 15, 999]:
        print(f'word {seed} {task} {position} {words[position]:016x} "{name}"')
print(
    '\n# Draws in order from the start of seed 42, stream "draws", task = number of the line here.'
)
print("# uniform, open (interval), below N (scalar), fill_below N (block form): decimal, exact.")


def stream(task):
    return Streams(42, "draws").task(task)


words = stream(0)
print("uniform 0", *[repr((next(words) >> 11) * 2.0**-53) for _ in range(4)])
words = stream(1)
print("open 1", *[repr(((next(words) >> 12) + 0.5) * 2.0**-52) for _ in range(4)])
for task, n in enumerate([6, 10**6, 2**63 + 1, 2**64 - 1], start=2):
    words = stream(task)
    print("below", task, n, *[below(words, n) for _ in range(6)])
for task, n in enumerate([6, 10**6, 2**31 + 1, 2**32 - 1], start=6):
    print("fill_below", task, n, *fill_below(stream(task), n, 40))
print(
    "\n# numpy: SeedSequence(entropy, spawn_key).generate_state(4) by NumPy: entropy words, spawn"
)
print("# key words (comma between, - for none), then the four words, hexadecimal.")
CASES = [
    ([0], []),
    ([42], []),
    ([42], [0]),
    ([42], [3, 1]),
    (list(range(1, 7)), [5]),
    ([1, 2, 3, 4, 5], []),
]
for entropy, key in CASES:
    number = sum(w << 32 * i for i, w in enumerate(entropy))
    state = numpy.random.SeedSequence(number, spawn_key=key).generate_state(4)
    texts = [",".join(f"{w:x}" for w in part) or "-" for part in (entropy, key, state)]
    print("numpy", *texts)
