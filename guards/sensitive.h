/* Data about persons and secrets in a text: e-mail addresses, telephone numbers, payment cards,
 * IBANs, national ids with check digits, IP addresses, API keys, private keys, and terms from a
 * list. Pure; time is linear in the length. */
#ifndef QUERN_SENSITIVE_H
#define QUERN_SENSITIVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guards/words.h"

enum sensitive_kind {
    SENSITIVE_EMAIL,
    SENSITIVE_PHONE,
    SENSITIVE_CARD,
    SENSITIVE_IBAN,
    SENSITIVE_ID,
    SENSITIVE_IP,
    SENSITIVE_API_KEY,
    SENSITIVE_PRIVATE_KEY,
    SENSITIVE_KINDS
};
extern const char *const sensitive_names[SENSITIVE_KINDS]; /* "email", … "national_id" … */

struct span {
    uint32_t from, to; /* bytes of the text */
    uint32_t kind;
};

enum { SPANS_MAX = 1 << 20 }; /* of one text; a longer list than texts can have */

struct spans {
    struct span *items;
    size_t count, cap;
};

void spans_init(struct spans *s);
void spans_free(struct spans *s);
void spans_add(struct spans *s, uint32_t kind, size_t from, size_t to);

/* What of the kinds in `mask` (bits) is there, in order, without overlaps; forgets what `out` held.
 */
void sensitive_read(uint32_t mask, const char *text, size_t len, struct spans *out);

/* The value that was read last, so that no text is read again and again; zero at first. */
struct secret_memo {
    size_t from, to;
    size_t said; /* behind a name, without a sign */
};

/* In secrets.c: an API key, a token or a password that begins at `at`, or is given a value there:
 * the part that is secret. False: there is none. To be asked from the text's start on. */
bool secret_at(const char *text, size_t len, size_t at, struct secret_memo *memo, size_t *from,
               size_t *to);
/* "Пароль" and its like, of scripts other than Latin: the length of such a word at `at`; 0: there
 * is none. */
size_t secret_word_at(const char *text, size_t len, size_t at);
/* As secret_at(), of the value behind a word that ends at `end`. */
bool secret_behind(const char *text, size_t len, size_t end, struct secret_memo *memo, size_t *from,
                   size_t *to);
/* The password of a program's option, "-u user:password" or "-ppassword", whose '-' is at `at`. */
bool secret_flag_at(const char *text, size_t len, size_t at, size_t *from, size_t *to);
/* A PEM block of a private key that begins at `at`: where it ends; 0: there is none. */
size_t private_key_at(const char *text, size_t len, size_t at);
#endif
