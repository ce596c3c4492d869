/* Words that say how many, when, and of what, in eleven languages: what a text claims is read with
 * them (quantities.h, dates.h, names.h). Built once, then read only. Pure. */
#ifndef QUERN_GLOSSARY_H
#define QUERN_GLOSSARY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum language {
    LANG_EN,
    LANG_DE,
    LANG_FR,
    LANG_ES,
    LANG_IT,
    LANG_PT,
    LANG_NL,
    LANG_PL,
    LANG_RU,
    LANG_SV,
    LANG_TR,
    LANGUAGES
};
enum { LANGS_ALL = (1 << LANGUAGES) - 1 };

/* What a word may be; `value` and `dimension` say more. */
enum meaning {
    MEANS_NUMBER,     /* value: 0 to 90 */
    MEANS_MULTIPLIER, /* 100 and more */
    MEANS_SCALE,      /* the same in short, which may be a unit too: m, k */
    MEANS_ORDINAL,
    MEANS_FRACTION, /* value: 0.5 */
    MEANS_MONTH,    /* 1 to 12 */
    MEANS_WEEKDAY,  /* 1, Monday, to 7 */
    MEANS_QUARTER,  /* of a year */
    MEANS_UNIT,     /* value: of the dimension's smallest unit */
    MEANS_NOON,     /* value: minutes after midnight */
    MEANS_HALFDAY,  /* 0: am; 720: pm */
    MEANS_CLOCK,    /* goes behind a time: Uhr */
    MEANS_AT,       /* goes before a time */
    MEANS_PAST,     /* a quarter past nine; 1: of times only */
    MEANS_BEFORE,   /* a quarter to ten */
    MEANS_AND,
    MEANS_TO,      /* of ranges */
    MEANS_OF,      /* between a day and its month */
    MEANS_A,       /* one of something */
    MEANS_ABOUT,   /* the number behind it is rounded */
    MEANS_SUFFIX,  /* of ordinals: 4th */
    MEANS_SMALL,   /* a word that names skip and sentences begin with */
    MEANS_TITLE,   /* goes before a name; a point behind it ends no sentence */
    MEANS_COMMON,  /* has a capital without being a name */
    MEANS_FREQUENT /* tells its language from others */
};

enum dimension {
    DIM_NONE,
    DIM_PERCENT,
    DIM_SECONDS,
    DIM_MONTHS,
    DIM_GRAMS,
    DIM_METRES,
    DIM_LITRES,
    DIM_SPOONS,
    DIM_BYTES,
    DIM_WATTS,
    DIM_WATT_HOURS,
    DIM_MONEY,
    DIM_CLOCK, /* minutes after midnight */
    DIMENSIONS,
    /* What a text says of money: what has the sign $, ¥ … A quantity of it has DIM_MONEY. */
    DIM_DOLLARS = DIMENSIONS,
    DIM_EUROS,
    DIM_POUNDS,
    DIM_YEN,
    DIM_FRANCS,
    DIM_CROWNS,
    DIM_ZLOTY,
    DIMENSIONS_SAID
};

struct gloss {
    uint32_t hash; /* of the folded word: words_hash() */
    uint16_t languages;
    uint8_t meaning, dimension;
    double value;
};

static inline bool gloss_is_money(const struct gloss *g)
{
    return g->dimension == DIM_MONEY || g->dimension >= DIMENSIONS;
}

struct glossary;

struct glossary *glossary_new(void);
void glossary_free(struct glossary *g);
/* The meanings of a folded word, one behind the other, and how many. */
const struct gloss *glossary_find(const struct glossary *g, uint32_t hash, size_t *count);
/* The value of a number written as one word of several (fünfundzwanzig, quarantacinque); -1: it is
 * none. */
double glossary_compound(const struct glossary *g, const char *word, size_t len);
/* Is it an English word that is written without a capital? One in two hundred others is taken for
 * one.
 */
bool glossary_is_common(uint32_t hash);
#endif
