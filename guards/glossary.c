#include <stdlib.h>
#include <string.h>

#include "common/embed.h"
#include "common/mem.h"
#include "guards/glossary_private.h"
#include "guards/lexicon.h"
#include "guards/numeral.h"
#include "guards/words.h"

extern const struct embedded embedded_common_words[];

enum { GLOSSES_MAX = 4096, PIECES_MAX = 64, BUCKET_BITS = 12, COMMON_BITS = 20 };

struct glossary {
    struct gloss *items; /* by hash */
    size_t count;
    struct lexicon *pieces; /* of compound numbers: a bit for each value */
    double values[PIECES_MAX];
    size_t value_count;
    uint16_t buckets[(1 << BUCKET_BITS) + 1]; /* where hashes with these upper bits begin */
};

/* ---- building ---------------------------------------------------------------------------------
 */

static const char language_codes[LANGUAGES][3] = {"en", "de", "fr", "es", "it", "pt",
                                                  "nl", "pl", "ru", "sv", "tr"};

static uint16_t language_of(const char *code)
{
    for (int i = 0; i < LANGUAGES; i++)
        if (memcmp(code, language_codes[i], 2) == 0)
            return (uint16_t)(1U << i);
    abort(); /* a table of ours is wrong */
}

static void add_word(struct glossary *g, const struct gloss_row *row, uint16_t languages,
                     const char *word, size_t len, uint64_t bit)
{
    char folded[WORD_MAX];
    const size_t n = words_fold(word, len, folded);
    if (g->count == GLOSSES_MAX)
        abort();
    g->items[g->count++] = (struct gloss){.hash = words_hash(folded, n),
                                          .languages = languages,
                                          .meaning = (uint8_t)row->meaning,
                                          .dimension = (uint8_t)row->dimension,
                                          .value = row->value};
    if (bit) {
        char piece[WORD_MAX + 1];
        memcpy(piece, folded, n);
        piece[n] = '\0';
        lexicon_add(g->pieces, piece, bit);
    }
}

static void add_row(struct glossary *g, const struct gloss_row *row)
{
    const bool number = row->meaning == MEANS_NUMBER || row->meaning == MEANS_MULTIPLIER;
    uint64_t bit = 0;
    if (number) {
        if (g->value_count == PIECES_MAX)
            abort();
        bit = UINT64_C(1) << g->value_count;
        g->values[g->value_count++] = row->value;
    }
    uint16_t languages = LANGS_ALL;
    for (const char *p = row->words; *p;) {
        if (strcspn(p, ":, ") == 2 && p[2] == ':') {
            languages = language_of(p);
            p += 3;
        }
        const size_t len = strcspn(p, ", ");
        add_word(g, row, languages, p, len, bit);
        languages = p[len] == ' ' ? LANGS_ALL : languages;
        p += len + (p[len] != '\0');
    }
}

static int by_hash(const void *a, const void *b)
{
    const struct gloss *x = a, *y = b;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

struct glossary *glossary_new(void)
{
    struct glossary *g = mem_zero(sizeof *g);
    g->items = mem_array(NULL, GLOSSES_MAX, sizeof *g->items);
    g->pieces = lexicon_new();
    for (const struct gloss_row *row = gloss_rows; row->words; row++)
        add_row(g, row);
    qsort(g->items, g->count, sizeof *g->items, by_hash);
    for (size_t i = 0; i < g->count; i++)
        g->buckets[(g->items[i].hash >> (32 - BUCKET_BITS)) + 1]++;
    for (size_t i = 0; i < 1 << BUCKET_BITS; i++)
        g->buckets[i + 1] = (uint16_t)(g->buckets[i + 1] + g->buckets[i]);
    return g;
}

void glossary_free(struct glossary *g)
{
    if (!g)
        return;
    lexicon_free(g->pieces);
    free(g->items);
    free(g);
}

/* ---- looking up -------------------------------------------------------------------------------
 */

const struct gloss *glossary_find(const struct glossary *g, uint32_t hash, size_t *count)
{
    const uint16_t *bucket = &g->buckets[hash >> (32 - BUCKET_BITS)];
    const struct gloss *at = g->items + bucket[0], *end = g->items + bucket[1];
    while (at < end && at->hash < hash)
        at++;
    *count = 0;
    while (at + *count < end && at[*count].hash == hash)
        ++*count;
    return at;
}

/* The length of what joins two pieces, with another behind it. */
static size_t join_at(const struct glossary *g, const char *word, size_t len)
{
    uint64_t mask;
    static const char *const joins[] = {"und", "en", "e", "i", "y"};
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        if (len > strlen(joins[i]) && memcmp(word, joins[i], strlen(joins[i])) == 0 &&
            lexicon_longest(g->pieces, word + strlen(joins[i]), len - strlen(joins[i]), &mask))
            return strlen(joins[i]);
    return 0;
}

double glossary_compound(const struct glossary *g, const char *word, size_t len)
{
    static const char half[] = "einhalb"; /* dreieinhalb */
    struct numeral n = {0};
    const size_t tail = sizeof half - 1;
    const bool halved = len > tail && memcmp(word + len - tail, half, tail) == 0;
    len -= halved ? tail : 0;
    for (size_t at = 0; at < len;) {
        uint64_t mask = 0;
        at += n.pieces ? join_at(g, word + at, len - at) : 0;
        const size_t piece = lexicon_longest(g->pieces, word + at, len - at, &mask);
        if (piece == 0 || !numeral_add(&n, g->values[__builtin_ctzll(mask)], true))
            return -1;
        at += piece;
    }
    return n.pieces > 1 || halved ? numeral_value(&n) + (halved ? 0.5 : 0) : -1;
}

bool glossary_is_common(uint32_t hash)
{
    const struct embedded *file = &embedded_common_words[0];
    if (file->len != (1 << COMMON_BITS) / 8)
        abort(); /* made by another guards/common_words.py */
    const uint32_t places[] = {hash >> (32 - COMMON_BITS), hash * 2654435769U >> (32 - COMMON_BITS),
                               hash * 2246822519U >> (32 - COMMON_BITS)};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!((unsigned char)file->data[places[i] / 8] >> places[i] % 8 & 1))
            return false;
    return true;
}
