/* The reader of quantities, in three files: a number, what goes with it, times of day. Functions
 * that read return the token behind what they have read; the one that they were given, if it is
 * nothing of theirs. */
#ifndef QUERN_QUANTITY_PRIVATE_H
#define QUERN_QUANTITY_PRIVATE_H
#include "guards/quantities.h"

struct quantity_reader {
    struct quantities *q;
    const struct tokens *t;
    unsigned languages; /* of number words */
    bool comma, point;  /* which of them stands before fractions, if the text shows it */
};

/* In quantity_number.c. */
void quantity_read_convention(struct quantity_reader *r);
const struct gloss *quantity_means(const struct quantity_reader *r, size_t at,
                                   enum meaning meaning);
struct quantity *quantity_add(struct quantity_reader *r, size_t first);
void quantity_extend(const struct quantity_reader *r, struct quantity *q, size_t last);
void quantity_add_reading(struct quantity *q, double value, double grain, enum dimension dimension);
void quantity_multiply(struct quantity *q, double by);
void quantity_set_fraction(struct quantity *q, double value);
/* What the token is of a number in words; -1: it is none. */
double quantity_piece(const struct quantity_reader *r, size_t at);
/* The value of digits that stand alone. */
double quantity_whole(const struct quantity_reader *r, size_t at);
size_t quantity_read_words(struct quantity_reader *r, size_t first);
size_t quantity_read_number(struct quantity_reader *r, size_t first);

/* In quantity_unit.c. */
/* 0.5 for a half; -1: it is none. */
double quantity_fraction_of(const struct quantity_reader *r, size_t at);
size_t quantity_read_behind(struct quantity_reader *r, struct quantity *q, size_t next);
/* "and a half" of the unit `of`. */
size_t quantity_read_half(struct quantity_reader *r, struct quantity *q, size_t next, double of);
size_t quantity_read_unit(struct quantity_reader *r, struct quantity *q, size_t next);
size_t quantity_read_fraction(struct quantity_reader *r, struct quantity *q, size_t next);
size_t quantity_read_fraction_unit(struct quantity_reader *r, struct quantity *q, size_t next);
void quantity_read_ratio(struct quantity_reader *r, struct quantity *q);

/* In quantity_clock.c. */
size_t quantity_read_clock(struct quantity_reader *r, size_t first);
size_t quantity_read_past(struct quantity_reader *r, size_t first);
void quantity_read_hour(const struct quantity_reader *r, struct quantity *q);
void quantity_set_clock(struct quantity *q, double hour, double minute, bool either);
#endif
