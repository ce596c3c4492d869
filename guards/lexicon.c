#include "guards/lexicon.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "guards/words.h"

/* Children are a list; those of the first two levels are found at once. Node 0 is none. */
struct node {
    uint64_t exact,
        prefix;        /* classes of the word that ends here, and of all that go on from here */
    uint64_t children; /* bits, by the lower six of their bytes: most searches end here */
    uint32_t child, sibling;
    unsigned char byte;
    bool first; /* it is one of the root's */
};

enum { BEGIN = 4, FILTER_BITS = 15, TABLE_LEAST = 256 };

/* A whole word, by its hash: most words of a text are none, and one look tells. */
struct entry {
    uint64_t mask;     /* 0: nothing is here */
    uint32_t hash, at; /* of its text in the pool, behind a byte with its length */
};

struct lexicon {
    struct entry *table; /* open addressing, at most half full */
    uint32_t table_size, entries;
    char *pool;
    uint32_t pool_len, pool_cap;
    /* The trie, for what is longer or shorter than an entry. */
    uint64_t begins[(1 << FILTER_BITS) / 64]; /* bits, by the hash of a prefix's first bytes */
    bool any;                                 /* it tells nothing */
    struct node *nodes;
    uint32_t count, cap;
    uint32_t root[256];
    uint16_t second[256][256]; /* behind the byte that begins a word */
};

struct lexicon *lexicon_new(void)
{
    struct lexicon *l = mem_zero(sizeof *l);
    l->cap = 1024;
    l->nodes = mem_array(NULL, l->cap, sizeof *l->nodes);
    l->count = 1;
    l->table_size = TABLE_LEAST;
    l->table = mem_zero(l->table_size * sizeof *l->table);
    return l;
}

void lexicon_free(struct lexicon *l)
{
    if (!l)
        return;
    free(l->nodes);
    free(l->table);
    free(l->pool);
    free(l);
}

static inline uint32_t find_child(const struct lexicon *l, uint32_t at, unsigned char byte)
{
    if (at == 0)
        return l->root[byte];
    if (l->nodes[at].first)
        return l->second[l->nodes[at].byte][byte];
    if (!(l->nodes[at].children >> byte % 64 & 1))
        return 0;
    uint32_t n = l->nodes[at].child;
    while (n && l->nodes[n].byte != byte)
        n = l->nodes[n].sibling;
    return n;
}

/* 0: the table is full. */
static uint32_t make_child(struct lexicon *l, uint32_t at, unsigned char byte)
{
    uint32_t n = find_child(l, at, byte);
    if (n)
        return n;
    if (l->count >= UINT16_MAX && at != 0 && l->nodes[at].first)
        return 0;
    if (l->count == l->cap) {
        l->cap *= 2;
        l->nodes = mem_array(l->nodes, l->cap, sizeof *l->nodes);
    }
    n = l->count++;
    l->nodes[n] = (struct node){.byte = byte, .first = at == 0};
    if (at == 0) {
        l->root[byte] = n;
    } else if (l->nodes[at].first) {
        l->second[l->nodes[at].byte][byte] = (uint16_t)n;
    } else {
        l->nodes[at].children |= UINT64_C(1) << byte % 64;
        l->nodes[n].sibling = l->nodes[at].child;
        l->nodes[at].child = n;
    }
    return n;
}

/* ---- whole words ------------------------------------------------------------------------------
 */

static bool is_entry(const struct lexicon *l, const struct entry *e, const char *word, size_t len,
                     uint32_t hash)
{
    return e->hash == hash && (unsigned char)l->pool[e->at] == len &&
           memcmp(l->pool + e->at + 1, word, len) == 0;
}

/* Where the word is, or would be. */
static struct entry *place_of(const struct lexicon *l, const char *word, size_t len, uint32_t hash)
{
    uint32_t i = hash & (l->table_size - 1);
    while (l->table[i].mask && !is_entry(l, &l->table[i], word, len, hash))
        i = (i + 1) & (l->table_size - 1);
    return &l->table[i];
}

static uint32_t keep_text(struct lexicon *l, const char *word, size_t len)
{
    const uint32_t at = l->pool_len;
    if (l->pool_len + len + 1 > l->pool_cap) {
        l->pool_cap = l->pool_cap * 2 + WORD_MAX + 1;
        l->pool = mem_array(l->pool, l->pool_cap, 1);
    }
    l->pool[at] = (char)len;
    memcpy(l->pool + at + 1, word, len);
    l->pool_len += (uint32_t)len + 1;
    return at;
}

static void grow_table(struct lexicon *l)
{
    struct entry *old = l->table;
    const uint32_t size = l->table_size;
    l->table_size *= 2;
    l->table = mem_zero(l->table_size * sizeof *l->table);
    for (uint32_t i = 0; i < size; i++) {
        const char *text = l->pool + old[i].at;
        if (old[i].mask)
            *place_of(l, text + 1, (unsigned char)text[0], old[i].hash) = old[i];
    }
    free(old);
}

static void add_whole(struct lexicon *l, const char *word, size_t len, uint64_t mask)
{
    const uint32_t hash = words_hash(word, len);
    struct entry *e = place_of(l, word, len, hash);
    if (e->mask == 0) {
        *e = (struct entry){.hash = hash, .at = keep_text(l, word, len)};
        l->entries++;
    }
    e->mask |= mask;
    if (l->entries > l->table_size / 2)
        grow_table(l);
}

/* ---- prefixes ---------------------------------------------------------------------------------
 */

/* Of the first bytes of a word. */
static uint32_t begin_of(const char *word, size_t len)
{
    uint32_t first = 0;
    if (len >= BEGIN) /* one load */
        memcpy(&first, word, BEGIN);
    else
        memcpy(&first, word, len);
    return first * 2654435761U >> (32 - FILTER_BITS);
}

/* Any byte may follow one of three; shorter ones may begin most words. */
static void note_begin(struct lexicon *l, const char *word, size_t len)
{
    char first[BEGIN];
    const uint32_t begin = begin_of(word, len);
    l->begins[begin / 64] |= UINT64_C(1) << begin % 64;
    l->any |= len < BEGIN - 1;
    if (len != BEGIN - 1)
        return;
    memcpy(first, word, len);
    for (int c = 1; c <= UCHAR_MAX; c++) {
        first[len] = (char)c;
        note_begin(l, first, len + 1);
    }
}

static uint64_t find_prefixes(const struct lexicon *l, const char *word, size_t len)
{
    uint64_t mask = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < len && (at = find_child(l, at, (unsigned char)word[i])) != 0; i++)
        mask |= l->nodes[at].prefix;
    return mask;
}

/* ---- all --------------------------------------------------------------------------------------
 */

static void add_word(struct lexicon *l, const char *word, size_t len, uint64_t mask)
{
    char folded[WORD_MAX];
    const bool open = word[len - 1] == '*';
    const size_t n = words_fold(word, len - (size_t)open, folded);
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++)
        if ((at = make_child(l, at, (unsigned char)folded[i])) == 0)
            return;
    if (n == 0)
        return;
    if (open) {
        l->nodes[at].prefix |= mask;
        note_begin(l, folded, n);
    } else {
        l->nodes[at].exact |= mask;
        add_whole(l, folded, n, mask);
    }
}

void lexicon_add(struct lexicon *l, const char *words, uint64_t mask)
{
    while (*words) {
        const size_t len = strcspn(words, " ");
        if (len)
            add_word(l, words, len, mask);
        words += len + (words[len] == ' ');
    }
}

uint64_t lexicon_find(const struct lexicon *l, const char *word, size_t len, uint32_t hash)
{
    const uint32_t begin = begin_of(word, len);
    const uint64_t mask = place_of(l, word, len, hash)->mask;
    return l->any || (l->begins[begin / 64] >> begin % 64 & 1) ? mask | find_prefixes(l, word, len)
                                                               : mask;
}

size_t lexicon_longest(const struct lexicon *l, const char *text, size_t len, uint64_t *mask)
{
    size_t longest = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < len && (at = find_child(l, at, (unsigned char)text[i])) != 0; i++) {
        const struct node *n = &l->nodes[at];
        if (n->exact | n->prefix) {
            longest = i + 1;
            *mask = n->exact | n->prefix;
        }
    }
    return longest;
}
