#include "guards/numeral.h"

#include <math.h>

/* May a piece of no power of ten go behind the last one? */
static bool goes_on(const struct numeral *n, double piece, bool glued)
{
    if (n->pieces == 0 || n->last >= 1000 || (n->last >= 100 && piece < 100))
        return true;
    if (n->last >= 20 && piece < 10)
        return piece > 0;
    if (glued && n->last < 10 && piece >= 20)
        return n->last > 0;
    if (n->last == 10 && piece >= 7 && piece < 10) /* dix-huit */
        return true;
    return (n->last == 60 || n->last == 80) && piece >= 10 && piece < 20; /* soixante-dix */
}

bool numeral_add(struct numeral *n, double piece, bool glued)
{
    if (piece >= 1000) {
        if (n->pieces && (n->current == 0 || (n->total > 0 && n->total < piece)))
            return false;
        n->total += (n->current > 0 ? n->current : 1) * piece;
        n->current = 0;
    } else if (piece == 100) {
        if (n->current >= 100 || (n->pieces && n->last == 0))
            return false;
        n->current = (n->current > 0 ? n->current : 1) * 100;
    } else if (piece == 20 && n->last == 4) { /* quatre-vingt */
        n->current += 76;
        piece = 80;
    } else {
        if (!goes_on(n, piece, glued))
            return false;
        n->current += piece;
    }
    n->last = piece;
    n->pieces++;
    return true;
}

double numeral_value(const struct numeral *n)
{
    return n->total + n->current;
}
