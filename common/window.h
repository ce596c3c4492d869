/* Which of a sequence of records are done, and up to where all are: the low watermark. Pure.
 *
 * The worker has one for each partition and commits its watermark; the producer has one for the
 * records that Kafka has yet to acknowledge. A ring from the first record not done, at most `max`
 * long. Records are told by the number that window_add() gives, not by offset, as offsets have
 * gaps (compaction, transactions).
 *
 * A second reader may look further than the one that reads in order: what it foresees has its place
 * in the ring, and is taken by whichever of them adds it first.
 */
#ifndef QUERN_WINDOW_H
#define QUERN_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window_slot {
    int64_t offset;
    bool taken; /* else only foreseen */
    bool done;
};

struct window {
    struct window_slot *slots;
    size_t cap; /* a power of two */
    size_t max;
    uint64_t head, tail; /* numbers of the first slot and of the next one to be added */
    uint64_t reached;    /* of the first one that the reader in order has not come to */
    int64_t watermark;   /* every offset below is done; -1: nothing was added yet */
    size_t done_in_ring;
};

void window_init(struct window *w, size_t max);
void window_free(struct window *w);

size_t window_count(const struct window *w); /* from the first not done to the last added */
size_t window_open(const struct window *w);  /* added and not done */
bool window_full(const struct window *w);

/* Takes an offset: one that was foreseen, or one larger than all before. The caller stops when the
 * window is full; what it cannot stop any more is taken all the same. Returns the record's number.
 */
uint64_t window_add(struct window *w, int64_t offset);
/* Marks a record done. False if the number is unknown or done already. */
bool window_done(struct window *w, uint64_t number);

/* The offset behind the last one known; -1: none is. */
int64_t window_end(const struct window *w);
/* The record of this offset lies ahead, and no other between it and the last one known. True if it
 * may be taken. */
bool window_foresee(struct window *w, int64_t offset);
/* The reader in order has come to this offset; what was foreseen below it, and was not taken, does
 * not exist any more. False if it was taken ahead of its turn. */
bool window_reach(struct window *w, int64_t offset);

/* The offset to commit: that of the first record not done, or the last one plus 1. -1: none. */
int64_t window_watermark(const struct window *w);
#endif
