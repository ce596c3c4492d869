#include "guards/checkdigit.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

static int digit(char c)
{
    return c - '0';
}

static int64_t number(const char *s, size_t n)
{
    int64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v * 10 + digit(s[i]);
    return v;
}

static int weighted(const char *s, const char *weights)
{
    int sum = 0;
    for (size_t i = 0; weights[i]; i++)
        sum += digit(s[i]) * (weights[i] == 'X' ? 10 : digit(weights[i]));
    return sum;
}

static bool is_date(int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool all_alike(const char *s, size_t n)
{
    size_t i = 1;
    while (i < n && s[i] == s[0])
        i++;
    return i >= n;
}

/* ---- cards and accounts -----------------------------------------------------------------------
 */

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

/* ---- persons, digits alone --------------------------------------------------------------------
 */

/* Germany, Steuer-ID: ISO 7064 MOD 11,10; of the first ten digits one is there two or three times,
 * the others at most once. */
static bool is_steuer_id(const char *s)
{
    int counts[10] = {0}, repeated = 0, product = 10;
    for (int i = 0; i < 10; i++)
        counts[digit(s[i])]++;
    for (int i = 0; i < 10; i++) {
        if (counts[i] > 3)
            return false;
        repeated += counts[i] > 1;
    }
    for (int i = 0; i < 10; i++) {
        const int sum = (digit(s[i]) + product) % 10;
        product = 2 * (sum ? sum : 10) % 11;
    }
    return s[0] != '0' && repeated == 1 && (11 - product) % 10 == digit(s[10]);
}

/* France, NIR: 97 less the rest of the first 13 by 97. */
bool check_nir(const char *s)
{
    const int month = (int)number(s + 3, 2);
    return (s[0] == '1' || s[0] == '2') && ((month >= 1 && month <= 12) || month >= 20) &&
           97 - number(s, 13) % 97 == number(s + 13, 2);
}

static bool is_bsn(const char *s)
{
    return !all_alike(s, 9) && (weighted(s, "98765432") - digit(s[8])) % 11 == 0 &&
           number(s, 9) > 0;
}

/* Months of other centuries have 20, 40, 60 or 80 added. */
static bool is_pesel(const char *s)
{
    return is_date((int)number(s + 2, 2) % 20, (int)number(s + 4, 2)) &&
           (10 - weighted(s, "1379137913") % 10) % 10 == digit(s[10]);
}

static bool is_cpf(const char *s)
{
    const int first = weighted(s, "X98765432") * 10 % 11 % 10;
    int second = 0;
    for (int i = 0; i < 10; i++)
        second += digit(s[i]) * (11 - i);
    return !all_alike(s, 11) && first == digit(s[9]) && second * 10 % 11 % 10 == digit(s[10]);
}

/* Belgium: 97 less the rest of the first nine by 97; since 2000 with a 2 in front. */
static bool is_rijksregister(const char *s)
{
    const int64_t nine = number(s, 9), check = number(s + 9, 2);
    return is_date((int)number(s + 2, 2) % 20, (int)number(s + 4, 2)) &&
           (97 - nine % 97 == check || 97 - (2000000000 + nine) % 97 == check);
}

/* Sweden: ten digits, or twelve with the century; the day may have 60 added. */
static bool is_personnummer(const char *s)
{
    return is_date((int)number(s + 2, 2), (int)number(s + 4, 2) % 60) && check_luhn(s, 10);
}

static bool is_personnummer12(const char *s)
{
    return (memcmp(s, "19", 2) == 0 || memcmp(s, "20", 2) == 0) && is_personnummer(s + 2);
}

/* Switzerland: 756 and EAN-13's check digit. */
static bool is_ahv(const char *s)
{
    return memcmp(s, "756", 3) == 0 && (10 - weighted(s, "131313131313") % 10) % 10 == digit(s[12]);
}

/* India: Verhoeff's digits, by the dihedral group of order 10. */
static bool is_aadhaar(const char *s)
{
    static const char *const times[] = {"0123456789", "1234067895", "2340178956", "3401289567",
                                        "4012395678", "5987604321", "6598710432", "7659821043",
                                        "8765932104", "9876543210"};
    static const char *const permuted[] = {"0123456789", "1576283094", "5803796142", "8916043527",
                                           "9453126870", "4286573901", "2793806415", "7046913258"};
    int c = 0;
    if (s[0] < '2')
        return false;
    for (int i = 0; i < 12; i++)
        c = digit(times[c][digit(permuted[i % 8][digit(s[11 - i])])]);
    return c == 0;
}

static bool is_nhs(const char *s)
{
    const int check = 11 - weighted(s, "X98765432") % 11;
    return !all_alike(s, 10) && check != 10 && check % 11 == digit(s[9]);
}

/* United States: no check digit; areas, groups and serials that are not given out. */
static bool is_ssn(const char *s)
{
    const int area = (int)number(s, 3);
    return area > 0 && area != 666 && area < 900 && number(s + 3, 2) > 0 && number(s + 5, 4) > 0;
}

static bool is_kimlik(const char *s)
{
    int odd = 0, even = 0, sum = 0;
    for (int i = 0; i < 9; i++)
        *(i % 2 ? &even : &odd) += digit(s[i]);
    for (int i = 0; i < 10; i++)
        sum += digit(s[i]);
    return s[0] != '0' && ((odd * 7 - even) % 10 + 10) % 10 == digit(s[9]) &&
           sum % 10 == digit(s[10]);
}

/* China: ISO 7064 MOD 11-2; 'X' (ten) may be the last. */
static bool is_resident_id(const char *s)
{
    int sum = 0, weight = 1;
    for (int i = 17; i >= 0; i--, weight = weight * 2 % 11)
        sum += (s[i] == 'X' ? 10 : digit(s[i])) * weight;
    const int year = (int)number(s + 6, 4);
    return sum % 11 == 1 && year >= 1900 && year < 2100 &&
           is_date((int)number(s + 10, 2), (int)number(s + 12, 2));
}

/* Canada */
static bool is_sin(const char *s)
{
    return !all_alike(s, 9) && s[0] != '0' && s[0] != '8' && check_luhn(s, 9);
}

/* Australia */
static bool is_tfn(const char *s)
{
    return !all_alike(s, 9) && weighted(s, "14375869X") % 11 == 0;
}

static bool is_nif(const char *s)
{
    const int check = 11 - weighted(s, "98765432") % 11;
    return strchr("1235689", s[0]) && (check > 9 ? 0 : check) == digit(s[8]);
}

/* Chile; a check digit of ten is written K. */
static bool is_rut(const char *s)
{
    return (11 - weighted(s, "32765432") % 11) % 11 == digit(s[8]);
}

/* Norway: two check digits; the day may have 40 added. */
static bool is_fodselsnummer(const char *s)
{
    return is_date((int)number(s + 2, 2) % 40, (int)number(s, 2) % 40) &&
           (11 - weighted(s, "376189452") % 11) % 11 == digit(s[9]) &&
           (11 - weighted(s, "5432765432") % 11) % 11 == digit(s[10]);
}

/* Romania */
static bool is_cnp(const char *s)
{
    const int check = weighted(s, "279146358279") % 11;
    return s[0] != '0' && is_date((int)number(s + 3, 2), (int)number(s + 5, 2)) &&
           (check == 10 ? 1 : check) == digit(s[12]);
}

static bool is_south_african(const char *s)
{
    return is_date((int)number(s + 2, 2), (int)number(s + 4, 2)) && s[10] <= '2' &&
           check_luhn(s, 13);
}

#define ANY_ID "national id|identity|id number|id no|ausweis|personal number|citizen"

const struct id_scheme id_schemes[] = {
    {"resident id", 18, is_resident_id, NULL, ALONE, ""},
    {"NIR", 15, check_nir, NULL, ALONE, ""},
    {"AHV", 13, is_ahv, "3442", ALONE, ""},
    {"CNP", 13, is_cnp, NULL, TOLD, "cnp|cod numeric|" ANY_ID},
    {"South African id", 13, is_south_african, NULL, TOLD, "south african|sa id|rsa id|" ANY_ID},
    {"personnummer", 12, is_personnummer12, "84", GROUPED, "person|pnr|personnr|ssn|" ANY_ID},
    {"aadhaar", 12, is_aadhaar, "444", TOLD, "aadhaar|aadhar|uidai|uid|आधार|" ANY_ID},
    {"rijksregister", 11, is_rijksregister, "222.32", GROUPED,
     "rijksregister|registre|rrn|insz|niss|nationaal|national"},
    {"TC kimlik", 11, is_kimlik, NULL, TOLD, "kimlik|tc|t.c.|tckn|" ANY_ID},
    {"CPF", 11, is_cpf, "3332", GROUPED, "cpf|" ANY_ID},
    {"Steuer-ID", 11, is_steuer_id, "2333", TOLD,
     "steuer|idnr|tin|tax id|identifikationsnummer|" ANY_ID},
    {"PESEL", 11, is_pesel, NULL, TOLD, "pesel|" ANY_ID},
    {"fødselsnummer", 11, is_fodselsnummer, "65", TOLD,
     "fødsel|fodsel|person|fnr|national|" ANY_ID},
    {"personnummer", 10, is_personnummer, "64", TOLD, "person|pnr|personnr|ssn|" ANY_ID},
    {"NHS", 10, is_nhs, "334", TOLD, "nhs|patient|" ANY_ID},
    {"SSN", 9, is_ssn, "324", HYPHENED, "ssn|social|security|" ANY_ID},
    {"SIN", 9, is_sin, "333", TOLD, "sin |sin:|sin#|social insurance|nas |nas:"},
    {"TFN", 9, is_tfn, "333", TOLD, "tfn|tax file"},
    {"NIF", 9, is_nif, "333", TOLD, "nif|contribuinte"},
    {"RUT", 9, is_rut, "2331", TOLD, "rut |rut:|rol único"},
    {"BSN", 9, is_bsn, NULL, TOLD, "bsn|burgerservice|sofi|" ANY_ID},
    {0}};

/* ---- with letters -----------------------------------------------------------------------------
 */

bool check_dni(const char *s, size_t n)
{
    char digits[9] = {0};
    if (n != 9)
        return false;
    memcpy(digits, s, 8);
    if (s[0] >= 'X' && s[0] <= 'Z')
        digits[0] = (char)('0' + s[0] - 'X');
    return strspn(digits, "0123456789") == 8 &&
           "TRWAGMYFPDXBNJZSQVHLCKE"[number(digits, 8) % 23] == s[8];
}

bool check_codice_fiscale(const char *s, size_t n)
{
    static const char form[] = "AAAAAA00A00A000A";
    static const int odd[] = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                              20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    if (n != 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        const bool number_like = isdigit((unsigned char)s[i]) || strchr("LMNPQRSTUV", s[i]);
        if (form[i] == '0' ? !number_like : !isupper((unsigned char)s[i]))
            return false;
        const int v = isdigit((unsigned char)s[i]) ? digit(s[i]) : s[i] - 'A';
        sum += i == 15 ? 0 : i % 2 ? v : odd[v];
    }
    return sum % 26 == s[15] - 'A' && strchr("ABCDEHLMPRST", s[8]) != NULL;
}

bool check_hetu(const char *s, size_t n)
{
    char digits[10] = {0};
    if (n != 11 || !strchr("+-YXWVUABCDEF", s[6]))
        return false;
    memcpy(digits, s, 6);
    memcpy(digits + 6, s + 7, 3);
    return strspn(digits, "0123456789") == 9 && is_date((int)number(s + 2, 2), (int)number(s, 2)) &&
           "0123456789ABCDEFHJKLMNPRSTUVWXY"[number(digits, 9) % 31] == s[10];
}
