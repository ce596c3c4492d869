/* Prose and what must stay as it is: a text cut into runs of both. Pure. */
#ifndef QUERN_SEGMENT_H
#define QUERN_SEGMENT_H
#include <stdbool.h>
#include <stddef.h>

struct segments {
    const char *text;
    size_t len, pos;
    size_t effort; /* bytes that may be looked at in search of ends: time stays linear */
    bool html;     /* tags are prose, with what their attributes quote */
    bool document; /* it is HTML as a whole: indents and '>' mean nothing */
};

struct segment {
    const char *p;
    size_t len;
    bool kept; /* code, a quotation or JSON */
};

void segments_begin(struct segments *s, const char *text, size_t len);
/* The same for a text with HTML in it (html.c). */
void segments_begin_html(struct segments *s, const char *text, size_t len);
/* The next run; false at the end. Kept are: blocks between ``` or ~~~ lines, lines that begin with
 * four spaces, a tab or '>', `code`, "quotations" (also of typographic marks) of one paragraph, and
 * JSON objects and arrays. */
bool segments_next(struct segments *s, struct segment *out);
#endif
