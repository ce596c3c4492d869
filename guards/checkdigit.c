#include "guards/checkdigit_private.h"

#include <ctype.h>
#include <string.h>

bool check_luhn(const char *s, size_t n)
{
    static const char twice[] = "0246813579"; /* the sum of its digits */
    int sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int d = digit(s[n - 1 - i]);
        sum += i % 2 ? digit(twice[d]) : d;
    }
    return sum % 10 == 0;
}

/* Issuer identification numbers, first four digits, in their order; lengths that their cards have.
 */
static const struct network {
    int from, to;
    size_t least, most;
} networks[] = {
    {2200, 2204, 16, 19}, {2221, 2720, 16, 16}, {3000, 3059, 14, 19}, {3400, 3499, 15, 15},
    {3528, 3589, 16, 19}, {3600, 3699, 14, 19}, {3700, 3799, 15, 15}, {3800, 3999, 14, 19},
    {4000, 4999, 13, 19}, {5018, 5018, 12, 19}, {5019, 5019, 16, 16}, {5020, 5020, 12, 19},
    {5038, 5038, 12, 19}, {5041, 5041, 16, 16}, {5060, 5061, 16, 19}, {5066, 5067, 16, 16},
    {5080, 5090, 16, 16}, {5100, 5599, 16, 16}, {5893, 5893, 12, 19}, {6011, 6011, 16, 19},
    {6062, 6089, 16, 16}, {6200, 6299, 16, 19}, {6304, 6304, 12, 19}, {6362, 6363, 16, 16},
    {6440, 6599, 16, 19}, {6759, 6763, 12, 19}, {8100, 8299, 16, 19}, {8600, 8600, 16, 16},
    {9792, 9792, 16, 16}, {9860, 9860, 16, 16}};

/* Has a network such a prefix, and cards of this length? */
static bool is_issued(const char *s, size_t n)
{
    const int prefix = (int)number(s, 4);
    for (size_t i = 0; i < sizeof networks / sizeof *networks && prefix >= networks[i].from; i++)
        if (prefix <= networks[i].to && n >= networks[i].least && n <= networks[i].most)
            return prefix / 1000 != 4 || n == 13 || n == 16 || n == 19;
    return false;
}

bool check_card(const char *s, size_t n)
{
    return n >= 12 && n <= 19 && is_issued(s, n) && !all_alike(s, n) && check_luhn(s, n);
}

/* Lengths by the SWIFT registry. */
static const char iban_lengths[] =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24"
    "FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
    "LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24"
    "RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

size_t check_iban_length(const char *s)
{
    for (const char *p = iban_lengths; *p; p += 4)
        if (p[0] == s[0] && p[1] == s[1])
            return (size_t)digit(p[2]) * 10 + (size_t)digit(p[3]);
    return 0;
}

bool check_iban(const char *s, size_t n)
{
    int rest = 0;
    if (n < 15 || n != check_iban_length(s))
        return false;
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[(i + 4) % n];
        if (isdigit(c))
            rest = (rest * 10 + digit((char)c)) % 97;
        else if (c >= 'A' && c <= 'Z')
            rest = (rest * 100 + c - 'A' + 10) % 97;
        else
            return false;
    }
    return rest == 1;
}
