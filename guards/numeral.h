/* A number said in pieces, one after the other: two hundred and five, quatre-vingt-dix,
 * fünfundzwanzig. Pure. */
#ifndef QUERN_NUMERAL_H
#define QUERN_NUMERAL_H
#include <stdbool.h>

struct numeral {
    double total, current, last;
    int pieces;
};

/* Adds a piece (1 to 90, hundreds, 1000 and more); false: nobody goes on like this, and nothing
 * has changed. `glued`: in one word, where ones may go before tens. */
bool numeral_add(struct numeral *n, double piece, bool glued);
double numeral_value(const struct numeral *n);
#endif
