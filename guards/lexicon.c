#include "guards/lexicon.h"

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

struct lexicon {
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
    return l;
}

void lexicon_free(struct lexicon *l)
{
    if (!l)
        return;
    free(l->nodes);
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

static void add_word(struct lexicon *l, const char *word, size_t len, uint64_t mask)
{
    char folded[WORD_MAX];
    const int open = word[len - 1] == '*';
    const size_t n = words_fold(word, len - (size_t)open, folded);
    uint32_t at = 0;
    for (size_t i = 0; i < n; i++)
        if ((at = make_child(l, at, (unsigned char)folded[i])) == 0)
            return;
    if (n == 0)
        return;
    if (open)
        l->nodes[at].prefix |= mask;
    else
        l->nodes[at].exact |= mask;
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

uint64_t lexicon_find(const struct lexicon *l, const char *word, size_t len)
{
    uint64_t mask = 0;
    uint32_t at = 0;
    for (size_t i = 0; i < len; i++) {
        at = find_child(l, at, (unsigned char)word[i]);
        if (!at)
            return mask;
        mask |= l->nodes[at].prefix;
    }
    return at ? mask | l->nodes[at].exact : mask;
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
