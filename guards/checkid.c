/* Ids of persons whose form is digits alone. */
#include "guards/checkdigit_private.h"

#include <string.h>

/* ISO 7064 MOD 11,10 */
static bool is_mod_11_10(const char *s, int n)
{
    int product = 10;
    for (int i = 0; i < n - 1; i++) {
        const int sum = (digit(s[i]) + product) % 10;
        product = 2 * (sum ? sum : 10) % 11;
    }
    return (11 - product) % 10 == digit(s[n - 1]);
}

/* Germany, Steuer-ID: ISO 7064 MOD 11,10; of the first ten digits one is there two or three times,
 * the others at most once. */
static bool is_steuer_id(const char *s)
{
    int counts[10] = {0}, repeated = 0;
    for (int i = 0; i < 10; i++)
        counts[digit(s[i])]++;
    for (int i = 0; i < 10; i++) {
        if (counts[i] > 3)
            return false;
        repeated += counts[i] > 1;
    }
    return s[0] != '0' && repeated == 1 && is_mod_11_10(s, 11);
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

/* Croatia */
static bool is_oib(const char *s)
{
    return !all_alike(s, 11) && is_mod_11_10(s, 11);
}

/* Bulgaria: months of other centuries have 20 or 40 added. */
static bool is_egn(const char *s)
{
    return is_date((int)number(s + 2, 2) % 20, (int)number(s + 4, 2)) &&
           weighted(s, "2485X9736") % 11 % 10 == digit(s[9]);
}

/* Czechia and Slovakia: women have 50 added to the month, and 20 more where numbers ran out. */
static bool is_rodne_cislo(const char *s)
{
    return is_date((int)number(s + 2, 2) % 50 % 20, (int)number(s + 4, 2)) &&
           number(s, 9) % 11 % 10 == digit(s[9]);
}

/* The states of former Yugoslavia */
static bool is_jmbg(const char *s)
{
    return is_date((int)number(s + 2, 2), (int)number(s, 2)) &&
           (11 - weighted(s, "765432765432") % 11) % 11 % 10 == digit(s[12]);
}

/* Estonia and Lithuania: other weights where the rest is ten. */
static bool is_isikukood(const char *s)
{
    int check = weighted(s, "1234567891") % 11;
    check = check == 10 ? weighted(s, "3456789123") % 11 : check;
    return s[0] != '0' && is_date((int)number(s + 3, 2), (int)number(s + 5, 2)) &&
           check % 10 == digit(s[10]);
}

/* Russia; 100 and 101 are written 00. */
static bool is_snils(const char *s)
{
    return !all_alike(s, 11) && weighted(s, "987654321") % 101 % 100 == number(s + 9, 2);
}

static bool is_teudat_zehut(const char *s)
{
    return !all_alike(s, 9) && check_luhn(s, 9);
}

/* Argentina: the kind of person, and the DNI. */
static bool is_cuil(const char *s)
{
    const int64_t kind = number(s, 2), check = (11 - weighted(s, "5432765432") % 11) % 11;
    return (kind == 20 || (kind >= 23 && kind <= 27)) && (check == 10 ? 9 : check) == digit(s[10]);
}

/* South Korea */
static bool is_rrn(const char *s)
{
    return is_date((int)number(s + 2, 2), (int)number(s + 4, 2)) && s[6] >= '1' && s[6] <= '8' &&
           (11 - weighted(s, "234567892345") % 11) % 10 == digit(s[12]);
}

/* Greece */
static bool is_amka(const char *s)
{
    return is_date((int)number(s + 2, 2), (int)number(s, 2)) && check_luhn(s, 11);
}

/* Australia's Medicare cards */
static bool is_medicare(const char *s)
{
    return s[0] >= '2' && s[0] <= '6' && weighted(s, "13791379") % 10 == digit(s[8]);
}

#define ANY_ID                                                                                     \
    "national id", "identity", "id number", "id no", "ausweis", "personal number", "citizen"

const struct id_scheme id_schemes[] = {
    {"resident id", 18, is_resident_id, NULL, ALONE, NULL},
    {"NIR", 15, check_nir, NULL, ALONE, NULL},
    {"AHV", 13, is_ahv, "3442", ALONE, NULL},
    {"CNP", 13, is_cnp, NULL, TOLD, CUES("cnp", "cod numeric", ANY_ID)},
    {"South African id", 13, is_south_african, NULL, TOLD,
     CUES("south african", "sa id", "rsa id", ANY_ID)},
    {"JMBG", 13, is_jmbg, NULL, TOLD, CUES("jmbg", "emšo", "emso", "matičn", "maticn", ANY_ID)},
    {"RRN", 13, is_rrn, "67", HYPHENED, CUES("rrn", "resident registration", "주민", ANY_ID)},
    {"personnummer", 12, is_personnummer12, "84", GROUPED,
     CUES("person", "pnr", "personnr", "ssn", ANY_ID)},
    {"aadhaar", 12, is_aadhaar, "444", TOLD,
     CUES("aadhaar", "aadhar", "uidai", "uid", "आधार", ANY_ID)},
    {"rijksregister", 11, is_rijksregister, "222.32", GROUPED,
     CUES("rijksregister", "registre", "rrn", "insz", "niss", "nationaal", "national")},
    {"TC kimlik", 11, is_kimlik, NULL, TOLD, CUES("kimlik", "tc", "t.c.", "tckn", ANY_ID)},
    {"CPF", 11, is_cpf, "3332", GROUPED, CUES("cpf", ANY_ID)},
    {"Steuer-ID", 11, is_steuer_id, "2333", TOLD,
     CUES("steuer", "idnr", "tin", "tax id", "identifikationsnummer", ANY_ID)},
    {"PESEL", 11, is_pesel, NULL, TOLD, CUES("pesel", ANY_ID)},
    {"fødselsnummer", 11, is_fodselsnummer, "65", TOLD,
     CUES("fødsel", "fodsel", "person", "fnr", "national", ANY_ID)},
    {"OIB", 11, is_oib, NULL, TOLD, CUES("oib", ANY_ID)},
    {"isikukood", 11, is_isikukood, NULL, TOLD,
     CUES("isikukood", "asmens kod", "personal code", ANY_ID)},
    {"SNILS", 11, is_snils, "3332", TOLD, CUES("snils", "снилс", "СНИЛС", ANY_ID)},
    {"CUIL", 11, is_cuil, "281", TOLD, CUES("cuil", "cuit", ANY_ID)},
    {"AMKA", 11, is_amka, NULL, TOLD, CUES("amka", "αμκα", "ΑΜΚΑ", ANY_ID)},
    {"personnummer", 10, is_personnummer, "64", TOLD,
     CUES("person", "pnr", "personnr", "ssn", ANY_ID)},
    {"NHS", 10, is_nhs, "334", TOLD, CUES("nhs", "patient", ANY_ID)},
    {"EGN", 10, is_egn, NULL, TOLD, CUES("egn", "егн", "ЕГН", ANY_ID)},
    {"rodné číslo", 10, is_rodne_cislo, "64", TOLD,
     CUES("rodné", "rodne", "rodného", "r.č.", "birth number", ANY_ID)},
    {"Medicare", 10, is_medicare, "451", TOLD, CUES("medicare")},
    {"SSN", 9, is_ssn, "324", HYPHENED, CUES("ssn", "social", "security", ANY_ID)},
    {"SIN", 9, is_sin, "333", TOLD,
     CUES("sin ", "sin:", "sin#", "social insurance", "nas ", "nas:")},
    {"TFN", 9, is_tfn, "333", TOLD, CUES("tfn", "tax file")},
    {"NIF", 9, is_nif, "333", TOLD, CUES("nif", "contribuinte")},
    {"RUT", 9, is_rut, "2331", TOLD, CUES("rut ", "rut:", "rol único")},
    {"teudat zehut", 9, is_teudat_zehut, NULL, TOLD,
     CUES("teudat", "israeli id", "תעודת זהות", "ת.ז", "ת״ז")},
    {"BSN", 9, is_bsn, NULL, TOLD, CUES("bsn", "burgerservice", "sofi", ANY_ID)},
    {0}};
