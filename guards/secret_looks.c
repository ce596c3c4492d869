/* What values look like: drawn by a program, chosen by somebody, or nothing of the kind. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "guards/secrets_private.h"

/* Bits a character. */
double secret_entropy(const char *s, size_t n)
{
    size_t counts[256] = {0};
    double h = 0;
    for (size_t i = 0; i < n; i++)
        counts[(unsigned char)s[i]]++;
    for (int i = 0; i < 256; i++)
        if (counts[i]) {
            const double p = (double)counts[i] / (double)n;
            h -= p * log2(p);
        }
    return h;
}

int secret_kinds(const char *s, size_t n)
{
    bool lower = false, upper = false, number = false, other = false;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        lower |= islower(c) != 0;
        upper |= isupper(c) != 0;
        number |= isdigit(c) != 0;
        other |= !isalnum(c);
    }
    return lower + upper + number + other;
}

bool secret_has_digit(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isdigit((unsigned char)s[i]))
            return true;
    return false;
}

/* Does it look drawn, and not written? */
bool secret_is_random(const char *s, size_t n)
{
    return n >= 8 && secret_has_digit(s, n) && secret_kinds(s, n) >= (n >= 16 ? 2 : 3) &&
           secret_entropy(s, n) >= (n >= 20 ? 3.0 : 2.6);
}

/* "hunter2", "123456": no word, no date, no path, and none of what programs write there
 * (args.password1, %s1). */
bool secret_is_chosen(const char *s, size_t n)
{
    enum { CHOSEN_LEAST = 6 };
    size_t letters = 0, digits = 0;
    for (size_t i = 0; i < n; i++) {
        letters += isalpha((unsigned char)s[i]) != 0;
        digits += isdigit((unsigned char)s[i]) != 0;
        if (s[i] == '[' || s[i] == '%' || s[i] == '/' ||
            (s[i] == '.' && i + 1 < n && isalpha((unsigned char)s[i + 1])))
            return false;
    }
    return n >= CHOSEN_LEAST && digits && (letters >= 2 || digits == n);
}

/* "/home/user1", "~/.ssh/id_2": no key of base64 has so few kinds of characters. */
bool secret_is_path(const char *s, size_t n)
{
    size_t i = n > 1 && (s[0] == '~' || s[0] == '.') ? 1 : 0;
    if (s[i] != '/')
        return false;
    while (i < n &&
           (islower((unsigned char)s[i]) || isdigit((unsigned char)s[i]) || strchr("/._-", s[i])))
        i++;
    return i == n;
}

/* What programs write where a password's kind stands, "sha256", "varchar255", and what people do,
 * "128-bit". */
bool secret_is_kind(const char *s, size_t n)
{
    static const char *const kinds[] = {"sha",  "md",   "aes", "rsa",  "base",    "utf",   "pbkdf",
                                        "uuid", "uint", "int", "char", "varchar", "string"};
    size_t letters = 0, digits = 0;
    while (letters < n && isalpha((unsigned char)s[letters]))
        letters++;
    while (letters + digits < n && isdigit((unsigned char)s[letters + digits]))
        digits++;
    size_t rest = letters + digits; /* "12-stellig" */
    while (letters == 0 && digits && rest < n &&
           (isalpha((unsigned char)s[rest]) || s[rest] == '-'))
        rest++;
    if (letters == 0 && digits && rest == n && memchr(s, '-', n))
        return true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (letters + digits == n && strlen(kinds[i]) == letters &&
            strncasecmp(s, kinds[i], letters) == 0)
            return true;
    return false;
}
