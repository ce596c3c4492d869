/* What the parts of the search for injections share; see injection.h. */
#ifndef QUERN_INJECTION_PRIVATE_H
#define QUERN_INJECTION_PRIVATE_H
#include "guards/bytes.h"
#include "guards/injection.h"
#include "guards/injection_tables.h"

#define INJECTION_LEAST 0.3 /* what scores less is no finding */

enum { CLASSES_MAX = 64 };

struct step {
    uint64_t mask;
    uint32_t flags; /* that the word must have */
    uint32_t gap;   /* words that may lie between it and the one before */
};

struct rule {
    const char *family;
    double weight;
    struct step steps[INJECTION_STEPS_MAX];
    size_t count;
};

/* Of all words up to one: the weights of their features, and how many those are. Both wrap; what a
 * part has, which is small, is their difference all the same. */
struct tally {
    uint32_t sum, count;
};

struct injection {
    struct lexicon *lexicon;
    struct rule rules[INJECTION_RULES_MAX];
    size_t rule_count;
    unsigned char by_class[CLASSES_MAX][INJECTION_RULES_MAX]; /* rules that begin with it */
    size_t by_class_count[CLASSES_MAX];
    uint64_t next[CLASSES_MAX]; /* what the second steps of those may be */
    size_t reach;               /* words that such a step may lie behind the first */
    uint64_t first;             /* classes that rules begin with */
    uint64_t report, narr;      /* who talks about attacks, and who tells of others */
    uint64_t bare;              /* verbs that an order begins with */
    byte_set mark_begins;       /* the bytes that marks begin with */
    struct words words;
    bool told; /* the text tells of attacks somewhere */

    const signed char *weights; /* of the model; borrowed */
    double bias, scale;
    struct tally *tallies; /* one more than there are words */
    size_t tally_cap;

    /* In training, what each word and each part has is kept by number. */
    void (*each)(void *arg, const uint32_t *features, size_t count);
    void *each_arg;
    uint32_t *features;
    size_t feature_count, feature_cap;
};

/* The strongest finding of each family and place is kept. */
void injection_add(struct injection_verdict *v, const char *family, uint32_t from, uint32_t to,
                   double weight);

/* In injection_parts.c. Scores the text that was read last, part by part. */
void injection_parts_init(struct injection *in);
void injection_parts_free(struct injection *in);
void injection_parts(struct injection *in, struct injection_verdict *v);
#endif
