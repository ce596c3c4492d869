/* Numbers that carry check digits: cards, accounts, ids of persons. Digits come as text, without
 * separators. Pure. */
#ifndef QUERN_CHECKDIGIT_H
#define QUERN_CHECKDIGIT_H
#include <stdbool.h>
#include <stddef.h>

/* ISO/IEC 7812: Luhn, for 0 to n digits. */
bool check_luhn(const char *digits, size_t n);
/* A payment card: a prefix and length that networks use, and Luhn. */
bool check_card(const char *digits, size_t n);
/* ISO 13616: `s` in upper case without spaces; the country's length and mod 97. */
bool check_iban(const char *s, size_t n);
/* The length of IBANs of the country that `s` begins with (two letters); 0: it has none. */
size_t check_iban_length(const char *s);

/* An id of persons whose form is digits alone. */
struct id_scheme {
    const char *name;
    size_t digits;
    bool (*valid)(const char *digits);
    const char *groups; /* lengths of its groups when they are set apart, e.g. "334"; NULL: any */
    enum id_proof {
        TOLD,     /* a word in front must say what it is */
        GROUPED,  /* or its groups do: "123.456.789-09" */
        HYPHENED, /* or hyphens between its groups */
        ALONE     /* chance hardly makes one */
    } proof;
    const char *const *cues; /* such words, in lower case; the last is NULL */
};
#define CUES(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
/* The longest first; ends with name == NULL. */
extern const struct id_scheme id_schemes[];

/* Those that begin with a letter, as one word in upper case. */
struct lettered_scheme {
    size_t len;
    bool (*valid)(const char *s);
    const char *const *cues; /* as above; NULL: it needs none */
};
/* The longest first; ends with valid == NULL. */
extern const struct lettered_scheme lettered_schemes[];

/* Those that begin with digits, or with X, Y or Z: Spain's DNI ("12345678Z") and NIE
 * ("X1234567L"), Finland's HETU ("131052-308T"), Ireland's PPS ("1234567TW"). Upper case, without
 * separators but HETU's. */
bool check_dni(const char *s, size_t n);
bool check_hetu(const char *s, size_t n);
bool check_pps(const char *s, size_t n);
/* France's NIR: 15 digits; those born in Corsica have 19 for 2A and 18 for 2B. */
bool check_nir(const char *digits);
#endif
