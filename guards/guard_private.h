/* What guard.c (rules, verdicts, requests and answers) and guard_text.c (one text) share. */
#ifndef QUERN_GUARD_PRIVATE_H
#define QUERN_GUARD_PRIVATE_H
#include "guards/guard_list.h"

struct guards {
    struct guard_tools tools;
    struct guard_rule *rules;
    size_t count;
    struct buf text, next; /* scratch */
};

/* A walk over the texts of a request or an answer. */
struct pass {
    struct guards *g;
    const struct task_doc *doc;
    struct guarded *state;
    const struct guard_rule *chosen[GUARD_KINDS];
    bool answer, rewrites; /* rewrites: verdicts were kept before */
    bool kept;             /* what is sensitive has placeholders, and nothing else changes */
    bool changed;
    int nested;    /* within JSON in a string, in so many */
    size_t gone;   /* names that were cut out: each has a number, they must differ */
    bool data;     /* the text is a member's name or a number */
    bool marks;    /* the canary is to be put into the next text of the instructions */
    uint64_t mark; /* of wrapped texts: random, so that no text has it */
};

/* A text_writer, of a struct pass: the text as it may be. */
void guard_on_text(void *arg, struct text_place place, struct json v, struct buf *out);
/* Does what the rule says with the pass's text, or with its task. */
void guard_act(struct pass *p, const struct guard_rule *r, const struct guard_finding *f);
/* Notes all that is sensitive in the question, once, for what an answer may say again. */
void guard_note_question(struct pass *p);
/* Keeps a verdict. */
void guard_keep_event(struct guarded *s, const struct guard_rule *r, const struct guard_text *t,
                      const struct guard_finding *f);
#endif
