#!/usr/bin/env python3
"""Makes guards/common.words: which English words are written without a capital.

    guards/common_words.py WORD_LIST

The list has a word a line (Debian's package wamerican has one in /usr/share/dict/american-english). The file is a Bloom filter of
2^20 bits and three places a word, by the hash that words_hash() makes (FNV-1a); about one in two hundred others is taken for one."""
import pathlib
import sys
import unicodedata

BITS = 20


def fnv(data):
    h = 2166136261
    for byte in data:
        h = (h ^ byte) * 16777619 & 0xFFFFFFFF
    return h


def folded(word):
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def main():
    table = bytearray(2 ** BITS // 8)
    for word in pathlib.Path(sys.argv[1]).read_text().split():
        if word[:1].islower() and "'" not in word:
            h = fnv(folded(word).encode())
            for place in ((h * factor & 0xFFFFFFFF) >> 32 - BITS for factor in (1, 2654435769, 2246822519)):
                table[place // 8] |= 1 << place % 8
    (pathlib.Path(__file__).parent / "common.words").write_bytes(table)
    print(f"{sum(bin(b).count('1') for b in table) / len(table) / 8:.3f} of the bits are set")


if __name__ == "__main__":
    main()
