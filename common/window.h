/* Which of a sequence of records are done, and up to where all are: the low watermark. Pure.
 *
 * The worker has one for each partition and commits its watermark; the producer has one for the
 * records that Kafka has yet to acknowledge. A ring from the first record not done, at most `max`
 * long. Records are told by the number that window_add() gives, not by offset, as offsets have
 * gaps (compaction, transactions).
 */
#ifndef QUERN_WINDOW_H
#define QUERN_WINDOW_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct window_slot {
    int64_t offset;
    bool done;
};

struct window {
    struct window_slot *slots;
    size_t cap; /* a power of two */
    size_t max;
    uint64_t head, tail; /* numbers of the first slot and of the next one to be added */
    int64_t watermark;   /* every offset below is done; -1: nothing was added yet */
    size_t done_in_ring;
};

void window_init(struct window *w, size_t max);
void window_free(struct window *w);

size_t window_count(const struct window *w); /* from the first not done to the last added */
size_t window_open(const struct window *w);  /* added and not done */
bool window_full(const struct window *w);

/* Adds an offset, larger than all before. The caller stops when the window is full; what it cannot
 * stop any more is taken all the same. Returns the record's number. */
uint64_t window_add(struct window *w, int64_t offset);
/* Marks a record done. False if the number is unknown or done already. */
bool window_done(struct window *w, uint64_t number);

/* The offset to commit: that of the first record not done, or the last one plus 1. -1: none. */
int64_t window_watermark(const struct window *w);
#endif
