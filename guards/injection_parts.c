/* The linear model: a text is as bad as its worst part. What a word adds to the sum is the same for
 * each part that it is in, so it is looked up once, and a part is the difference of two tallies. */
#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/embed.h"
#include "common/mem.h"
#include "guards/injection_private.h"

#define LIKELY 0.6 /* a part is as sure as the phrases in it, once the model says so much */

enum {
    PART_WORDS = 24, /* after so many a part ends with its sentence; with twice as many anyhow */
    PAIR_WORDS = 5,  /* how far apart the words of a pair of classes may be */
    MICRO = 1000000
};

extern const struct embedded embedded_injection[];

/* The model's file: what is added, and what the sum is multiplied with, in millionths, as 32 bits
 * with the lowest byte first; then a byte for each feature. */
void injection_parts_init(struct injection *in)
{
    int32_t head[2];
    const struct embedded *file = &embedded_injection[0];
    if (file->len != sizeof head + MODEL_FEATURES)
        abort(); /* made by another guards/train.py */
    memcpy(head, file->data, sizeof head);
    in->bias = (double)(int32_t)le32toh((uint32_t)head[0]) / MICRO;
    in->scale = (double)(int32_t)le32toh((uint32_t)head[1]) / MICRO;
    in->weights = (const signed char *)file->data + sizeof head;
}

void injection_parts_free(struct injection *in)
{
    free(in->tallies);
    free(in->features);
}

/* ---- what a word has --------------------------------------------------------------------------
 */

__attribute__((cold, noinline)) static void note(struct injection *in, uint32_t feature)
{
    if (in->feature_count == in->feature_cap) {
        in->feature_cap = in->feature_cap ? in->feature_cap * 2 : 1024;
        in->features = mem_array(in->features, in->feature_cap, sizeof *in->features);
    }
    in->features[in->feature_count++] = feature;
}

static int weight_of(const struct injection *in, uint32_t feature)
{
    return in->weights[feature]; // NOLINT(bugprone-signed-char-misuse): it is a number
}

static inline void see(struct injection *in, struct tally *t, uint32_t feature)
{
    t->sum += (uint32_t)weight_of(in, feature);
    t->count++;
    if (in->each)
        note(in, feature);
}

/* Two hashes as one of `bits`. */
static uint32_t both(uint32_t a, uint32_t b, int bits)
{
    return (a * 2654435761U ^ b) * 2246822519U >> (32 - bits);
}

/* The classes of the word at `at` with each of those that it, and the next ones, have. */
static void see_pairs(struct injection *in, size_t at, struct tally *t)
{
    const struct word *w = &in->words.items[at];
    const size_t left = in->words.count - at, near = left <= PAIR_WORDS ? left : PAIR_WORDS + 1;
    for (uint64_t x = w->mask; x; x &= x - 1) {
        const uint32_t row = MODEL_CLASSES_AT + (uint32_t)__builtin_ctzll(x) * CLASSES_MAX;
        for (size_t k = 0; k < near; k++)
            for (uint64_t y = w[k].mask; y; y &= y - 1)
                see(in, t, row + (uint32_t)__builtin_ctzll(y));
    }
}

/* Other things that are known of a word, or of a part. */
enum other {
    OTHER_HIDDEN, /* the word was dressed up */
    OTHER_REPORT, /* it tells of attacks, and so does the whole text somewhere */
    OTHER_TOLD,
    OTHER_QUOTED,                /* a word of an order is the first of a quotation */
    OTHER_LONG,                  /* four steps of the text's length */
    OTHER_FOUND = OTHER_LONG + 4 /* ten steps of what rules found there */
};

static void see_word(struct injection *in, size_t at, struct tally *t)
{
    const struct words *ws = &in->words;
    const struct word *w = &ws->items[at];
    const size_t left = ws->count - at;
    see(in, t, w->hash % MODEL_WORDS);
    see(in, t, MODEL_STEMS_AT + w->stem % MODEL_STEMS);
    if (left > 1) {
        see(in, t, MODEL_BIGRAMS_AT + both(w->hash, w[1].hash, MODEL_ROW_BITS));
        see(in, t, MODEL_ROWS_AT + both(w->stem, w[1].stem, MODEL_ROW_BITS));
    }
    if (left > 2)
        see(in, t, MODEL_SKIPS_AT + both(w->stem, w[2].stem, MODEL_ROW_BITS));
    if (w->flags & WORD_HIDDEN)
        see(in, t, MODEL_OTHERS_AT + OTHER_HIDDEN);
    if ((w->flags & WORD_QUOTED) && (w->mask & in->first))
        see(in, t, MODEL_OTHERS_AT + OTHER_QUOTED);
    if (w->mask & in->report)
        see(in, t, MODEL_OTHERS_AT + OTHER_REPORT);
    if (w->mask)
        see_pairs(in, at, t);
}

/* ---- parts ------------------------------------------------------------------------------------
 */

static void read_words(struct injection *in, size_t *starts)
{
    const size_t count = in->words.count;
    if (count + 1 > in->tally_cap) {
        in->tally_cap = count + 1;
        in->tallies = mem_array(in->tallies, in->tally_cap, sizeof *in->tallies);
    }
    in->feature_count = 0;
    in->tallies[0] = (struct tally){0, 0};
    for (size_t i = 0; i < count; i++) {
        in->tallies[i + 1] = in->tallies[i];
        if (starts)
            starts[i] = in->feature_count;
        see_word(in, i, &in->tallies[i + 1]);
    }
    if (starts)
        starts[count] = in->feature_count;
}

/* What the rules have found between the bytes from and to. */
static void see_findings(struct injection *in, const struct injection_verdict *v, uint32_t from,
                         uint32_t to, struct tally *t)
{
    for (size_t i = 0; i < v->count; i++)
        if (v->findings[i].from < to && v->findings[i].to > from)
            see(in, t, MODEL_OTHERS_AT + OTHER_FOUND + (uint32_t)(v->findings[i].weight * 9.99));
}

/* Of the words from `from` to before `to`, with what is known of the whole. */
static struct tally see_part(struct injection *in, const struct injection_verdict *v, size_t from,
                             size_t to)
{
    const struct word *w = in->words.items;
    const size_t size = in->words.count;
    struct tally t = {in->tallies[to].sum - in->tallies[from].sum,
                      in->tallies[to].count - in->tallies[from].count};
    see(in, &t,
        MODEL_OTHERS_AT + OTHER_LONG + (uint32_t)((size > 30) + (size > 80) + (size > 200)));
    if (in->told)
        see(in, &t, MODEL_OTHERS_AT + OTHER_TOLD);
    see_findings(in, v, w[from].from, w[to - 1].to, &t);
    return t;
}

static double score(const struct injection *in, struct tally t)
{
    return 1 / (1 + exp(-(in->bias + in->scale * (int32_t)t.sum / sqrt(t.count))));
}

/* Where the part that begins at `from` ends. */
static size_t part_end(const struct words *ws, size_t from)
{
    size_t i = from + 1;
    while (i < ws->count && (i - from) / 2 < PART_WORDS &&
           (i - from < PART_WORDS || !(ws->items[i].flags & WORD_SENTENCE)))
        i++;
    return i;
}

/* For training: the features of the part's words, and behind them those of the part. */
static void tell_part(struct injection *in, const size_t *starts, size_t from, size_t to)
{
    const size_t words = starts[to] - starts[from],
                 more = in->feature_count - starts[in->words.count];
    uint32_t *all = mem_array(NULL, words + more, sizeof *all);
    memcpy(all, in->features + starts[from], words * sizeof *all);
    memcpy(all + words, in->features + starts[in->words.count], more * sizeof *all);
    in->each(in->each_arg, all, words + more);
    in->feature_count = starts[in->words.count];
    free(all);
}

static void conclude(struct injection_verdict *v, const struct injection_finding *worst)
{
    bool named = false;
    v->score = fmax(v->score, worst->weight);
    for (size_t i = 0; i < v->count; i++) {
        if (v->findings[i].from >= worst->to || v->findings[i].to <= worst->from)
            continue;
        named = true;
        if (worst->weight >= LIKELY)
            v->score = fmax(v->score, v->findings[i].weight);
    }
    if (worst->weight >= INJECTION_LEAST && !named)
        injection_add(v, worst->family, worst->from, worst->to, worst->weight);
}

void injection_parts(struct injection *in, struct injection_verdict *v)
{
    const struct words *ws = &in->words;
    struct injection_finding worst = {.family = "resembles"};
    size_t *starts = in->each ? mem_array(NULL, ws->count + 1, sizeof *starts) : NULL;
    read_words(in, starts);
    for (size_t from = 0, next; from < ws->count; from = next) {
        next = part_end(ws, from);
        const size_t begin = from > PART_WORDS / 2 ? from - PART_WORDS / 2 : 0;
        const double bad = score(in, see_part(in, v, begin, next));
        if (starts)
            tell_part(in, starts, begin, next);
        if (bad > worst.weight)
            worst = (struct injection_finding){worst.family, ws->items[begin].from,
                                               ws->items[next - 1].to, bad};
    }
    free(starts);
    conclude(v, &worst);
}
