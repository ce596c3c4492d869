/* Does a text try to give orders to the model that reads it? Known phrasings as sequences of
 * classes of words (injection_words.c, injection_rules.c), and a linear model over words and pairs
 * of classes (injection_model.c, made by guards/train.py), whatever the words are dressed up as
 * (words.h), and one level deep inside of encodings (encoded.h). Patterns catch what resembles what
 * is known; docs/guards.md says what they cannot. Pure; time is linear in the length. */
#ifndef QUERN_INJECTION_H
#define QUERN_INJECTION_H
#include "guards/words.h"

enum { INJECTION_FINDINGS_MAX = 16, INJECTION_RULES_MAX = 160, INJECTION_STEPS_MAX = 5 };

struct injection_finding {
    const char *family; /* static */
    uint32_t from, to;  /* bytes of the text */
    double weight;      /* 0 to 1 */
};

struct injection_verdict {
    struct injection_finding findings[INJECTION_FINDINGS_MAX];
    size_t count;
    double score; /* 0 to 1: of the part of the text that is the worst, by the model */
};

/* Lexicon, rules and scratch: for one thread. */
struct injection;

struct injection *injection_new(void);
void injection_free(struct injection *in);
void injection_read(struct injection *in, const char *text, size_t len,
                    struct injection_verdict *out);
/* What the model goes by, of each part of the text that it looks at: calls `each` with the numbers
 * of the features that are there. For training. */
void injection_features(struct injection *in, const char *text, size_t len,
                        void (*each)(void *arg, const uint32_t *features, size_t count), void *arg);
#endif
