/* What a task's journey adds to its record, as Kafka headers: how often it was called, when it was
 * first seen, until when it is parked. The record itself is never changed. */
#ifndef QUERN_JOURNEY_H
#define QUERN_JOURNEY_H
#include <librdkafka/rdkafka.h>

#include <stdint.h>

enum { TRACEPARENT_MAX = 55 }; /* W3C Trace Context, version 00 */

struct journey {
    int64_t seq;           /* how often it was parked; a copy with a larger one replaces this one */
    int64_t rounds;        /* how often that was because all attempts had failed */
    int64_t tries;         /* attempts spent so far in this round */
    int64_t attempts;      /* calls made before this copy */
    int64_t due_ms;        /* since 1970; 0: at once */
    int64_t first_seen_ms; /* since 1970; 0: now, by the reader */
    int64_t recorded_ms;   /* since 1970, by Kafka: when this copy was written; 0: not known */
    int lane;              /* -1: the topic tells */
    char traceparent[TRACEPARENT_MAX + 1]; /* "": none */
};

/* Reads the headers (NULL: none). What is missing or malformed is as on a fresh record. */
void journey_read(const rd_kafka_headers_t *headers, struct journey *out);
/* The headers of the next copy; `error` (may be NULL) says why it is parked. The caller owns them
 * until a produce call takes them. */
rd_kafka_headers_t *journey_write(const struct journey *j, const char *error);
#endif
