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

/* The linear model: a weight for each feature of a part of the text; their sum by the root of their
 * number goes into a logistic function. Features, by hash: words, their stems, two words or stems
 * in a row, two stems with a word between; by number: pairs of classes within a few words, and what
 * else is known. See guards/train.py. */
enum {
    MODEL_WORDS = 1 << 16,
    MODEL_STEMS = 1 << 16,
    MODEL_ROW_BITS = 18,
    MODEL_OTHERS = 32,
    MODEL_STEMS_AT = MODEL_WORDS,
    MODEL_BIGRAMS_AT = MODEL_STEMS_AT + MODEL_STEMS,
    MODEL_ROWS_AT = MODEL_BIGRAMS_AT + (1 << MODEL_ROW_BITS),
    MODEL_SKIPS_AT = MODEL_ROWS_AT + (1 << MODEL_ROW_BITS),
    MODEL_CLASSES_AT = MODEL_SKIPS_AT + (1 << MODEL_ROW_BITS),
    MODEL_OTHERS_AT = MODEL_CLASSES_AT + 64 * 64,
    MODEL_FEATURES = MODEL_OTHERS_AT + MODEL_OTHERS
};
#endif
