/* What injections are recognised by, as data. */
#ifndef QUERN_INJECTION_TABLES_H
#define QUERN_INJECTION_TABLES_H
#include <stddef.h>

/* Words of a class, in whatever language; "pre*" stands for all that begin with pre. */
struct injection_class {
    const char *name, *words;
};

/* Steps: classes (a|b: any of them) with the most words that may lie between two of them. A class
 * in front of which stands ^ begins a sentence, _ a line, one with : has a colon behind it. */
struct injection_rule {
    const char *family;
    int weight; /* percent */
    const char *steps;
};

extern const struct injection_class injection_classes[]; /* end with name, family == NULL */
extern const struct injection_rule injection_rules[];

/* Marks that chat templates and role plays with turns use, as they stand in lower case. */
struct injection_mark {
    const char *text;
    int weight;
};
extern const struct injection_mark injection_marks[];

/* The linear model: a weight for each feature in 1/16, and what is added to their sum; its logistic
 * function is the score. Features: words and pairs of neighbours by hash, pairs of classes within a
 * few words, and what the rules have found. */
enum {
    MODEL_WORDS = 8192,
    MODEL_BIGRAMS = 8192,
    MODEL_CLASSES = 64,
    MODEL_OTHERS = 32,
    MODEL_BIGRAMS_AT = MODEL_WORDS,
    MODEL_PAIRS_AT = MODEL_BIGRAMS_AT + MODEL_BIGRAMS,
    MODEL_OTHERS_AT = MODEL_PAIRS_AT + MODEL_CLASSES * MODEL_CLASSES,
    MODEL_FEATURES = MODEL_OTHERS_AT + MODEL_OTHERS
};
extern const signed char injection_model[MODEL_FEATURES];
extern const int injection_bias;
#endif
