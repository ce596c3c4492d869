/* Inside of the search for sensitive data: the scan, and what sensitive.c and sensitive_numbers.c
 * share. */
#ifndef QUERN_SENSITIVE_SCAN_H
#define QUERN_SENSITIVE_SCAN_H
#include "guards/bytes.h"
#include "guards/sensitive.h"

enum { CUE_BYTES = 96 }; /* in front of a number, that may say what it is */

/* What stands before a place, in lower case: looked at for several words. */
struct before {
    char text[CUE_BYTES];
    size_t pos, len;
    unsigned char starts[CUE_BYTES]; /* where a cue may begin */
    size_t start_count;
    byte_set begins; /* with these bytes */
    size_t word;     /* where the last word ended that the scan has met */
    struct secret_memo value;
};

struct scan {
    struct before *before;
    const char *text;
    size_t len;
    uint32_t mask;
    struct spans *out;
    size_t word_from, word_to; /* the word that was looked at last */
    size_t escape;             /* behind the last "\n" that a program wrote */
    size_t colon; /* the next one, `len`: there is none; behind the scan: not looked for */
};

static inline bool scan_wants(const struct scan *s, enum sensitive_kind k)
{
    return s->mask & 1U << k;
}

static inline char scan_at(const struct scan *s, size_t i)
{
    return i < s->len ? s->text[i] : '\0';
}

/* Letters, digits and underscores: what goes on with a word. Of other scripts the letters up to
 * U+07FF; signs (typographic marks, currencies, spaces) and scripts without spaces part words. `c`
 * is the first byte of a character. */
#define SCAN_TOKEN                                                                                 \
    BYTES_LETTERS, BYTES_DIGITS, ['_'] = true, [0xC3] = true, BYTES_4(0xC4), BYTES_8(0xC8),        \
                                 BYTES_16(0xD0)

static inline bool scan_same_token(char c)
{
    static const byte_set token = {SCAN_TOKEN};
    return bytes_has(token, c);
}

static inline bool scan_is_alnum(char c)
{
    return scan_same_token(c) && c != '_';
}

/* The first byte of the character that ends before `i`; ' ': there is none. */
static inline char scan_before(const struct scan *s, size_t i)
{
    size_t k = i;
    while (k > 0 && i - k < 4) {
        k--;
        if (((unsigned char)s->text[k] & 0xC0) != 0x80)
            return s->text[k];
    }
    return ' ';
}

/* The length of a separator within numbers that stands at `i`: one of " -./", " / ", a space that
 * does not break, an en dash; 0: none. */
static inline size_t scan_separator(const struct scan *s, size_t i)
{
    const size_t left = i < s->len ? s->len - i : 0;
    if (left > 3 && s->text[i] == ' ' && s->text[i + 1] == '/' && s->text[i + 2] == ' ')
        return 3;
    if (left > 0 &&
        (s->text[i] == ' ' || s->text[i] == '-' || s->text[i] == '.' || s->text[i] == '/'))
        return 1;
    if (left > 2 && s->text[i] == '\xC2' && s->text[i + 1] == '\xA0')
        return 2;
    if (left > 3 && s->text[i] == '\xE2' && s->text[i + 1] == '\x80' &&
        (s->text[i + 2] == '\x93' || s->text[i + 2] == '\xAF' || s->text[i + 2] == '\x91'))
        return 3;
    return 0;
}

static inline bool scan_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Did a word end within so many bytes before `pos`? */
static inline bool scan_has_words(const struct scan *s, size_t pos, size_t bytes)
{
    return s->before->word + bytes >= pos;
}

/* In sensitive_cues.c. Does one of the words (lower case; the last is NULL) begin within so many
 * bytes (at most CUE_BYTES) before `pos`? */
bool scan_has_cue(const struct scan *s, size_t pos, size_t bytes, const char *const *cues);
extern const char *const scan_card_cues[];
extern const char *const scan_other_cues[]; /* of numbers that are no cards */
extern const char *const scan_version_cues[];
extern const char *const scan_browser_cues[];
extern const char *const scan_phone_cues[];

/* In sensitive_numbers.c. What begins at `from`, is added; where it ends, 0: nothing is there. */
size_t scan_digits(struct scan *s, size_t from);          /* a digit; never 0 */
size_t scan_plus_phone(struct scan *s, size_t plus);      /* '+' */
size_t scan_bracketed_phone(struct scan *s, size_t open); /* '(' */
/* A Telegram bot's token; adds nothing. */
size_t scan_bot_token(const struct scan *s, size_t from);
/* Finnish, Spanish and Irish ids; adds nothing. */
size_t scan_lettered(struct scan *s, size_t from);
#endif
