/* What the claims of an answer are held against: forms of numbers, dates, names and quotations that
 * mean the same, and near ones that do not. tests/data/grounded*.jsonl has whole texts. */
#include <string.h>

#include "guards/dates.h"
#include "guards/grounding.h"
#include "suites.h"

static struct glossary *glossary;

static void set_up(void)
{
    glossary = glossary_new();
}

static void tear_down(void)
{
    glossary_free(glossary);
}

struct pair {
    const char *source, *answer;
};

/* How many of the answer's claims the source lacks. */
static size_t lacking(const struct pair *p)
{
    struct grounding g;
    grounding_read(glossary, p->source, strlen(p->source), p->answer, strlen(p->answer), &g);
    const size_t n = g.unsupported.count;
    ck_assert_msg(g.claims > 0, "no claim: %s", p->answer);
    grounding_free(&g);
    return n;
}

static void all_meet(const struct pair *rows)
{
    for (; rows->source; rows++)
        ck_assert_msg(lacking(rows) == 0, "\"%s\" does not meet \"%s\"", rows->answer,
                      rows->source);
}

static void none_meets(const struct pair *rows)
{
    for (; rows->source; rows++)
        ck_assert_msg(lacking(rows) > 0, "\"%s\" meets \"%s\"", rows->answer, rows->source);
}

START_TEST(numbers_meet_in_every_form)
{
    static const struct pair rows[] = {
        {"It cost $1,250,000.", "It cost 1.25 million dollars."},
        {"It cost 23 million.", "It cost 23m."},
        {"Es kostet 3.250,50 Euro.", "It costs 3250.5 euros."},
        {"Twenty-seven people came.", "27 people came."},
        {"Es kamen fünfundzwanzig Leute.", "Es kamen 25 Leute."},
        {"Ce sont quatre-vingt-dix-sept tonnes.", "Ce sont 97 tonnes."},
        {"Il a duré dix-huit mois.", "Il a duré 18 mois."},
        {"Costó doscientos treinta y cinco euros.", "Costó 235 euros."},
        {"Erano quarantacinque persone.", "Erano 45 persone."},
        {"Het duurde vijfentwintig dagen.", "Het duurde 25 dagen."},
        {"dreieinhalb Stunden", "3,5 Stunden"},
        {"It weighs 1.8 tonnes.", "It weighs 1,800 kg."},
        {"Use 32 mm screws.", "Use 3.2 cm screws."},
        {"Give notice of two weeks.", "Give 14 days of notice."},
        {"It takes an hour and a half.", "It takes 90 minutes."},
        {"It takes 1 hour 15 minutes.", "It takes 75 minutes."},
        {"two thirds of them", "67 percent of them"},
        {"one in eight of them", "12.5% of them"},
        {"half a teaspoon, ½ a cup", "0.5 teaspoons"},
        {"It grew from 4.2 and 12.6 million.", "It grew from 4.2 million."},
        {"Revenue ($m): sales 88.6, services 91.2", "Sales were $88.6 million."},
        {"The fee is 28 cents.", "The fee is €0.28."},
        {"We close at 18:00.", "We close at 6 pm."},
        {"Wir schließen um 18 Uhr 30.", "Wir schließen um 18:30."},
        {"a las nueve de la noche", "a las 21:00"},
        {"It was 1,240 people.", "More than 1,200 people."},
        {"the fourteenth edition", "the 14th edition"},
        {"a five-year term", "a 5-year term"},
        {"It fails since v5.3.1 of it.", "It fails since 5.3.1 of it."},
        {"between 1631 and 1648", "1631–48"},
        {"The weight is 1.8 tonnes.", "{\"weight_kg\": 1800}"},
        {"It is fifty cents for each of the apples.", "It is $0.50 for each of the apples."},
        {"We sent two hundred mil parts to the customer.", "We sent 200 of the parts."},
        {"There were two dozen of them.", "There were 24 of them."},
        {"[12,13,14]", "It was 13, we hear."},
        {"They made €5 million ($5.4 million).", "They made 5 million euros, or USD 5.4 million."},
        {"Between 4.2 and 12.6 million euros came in.", "About 4.2 million euros came in."},
        {"It was sold for £112. Seconds are cheaper.", "It was sold for £112 in the end."},
        {"It starts at 9:30.", "It starts at half past nine."},
        {"It is $5-7 million.", "It is at least $5 million."},
        {"They paid 20 euros 3 days ago.", "3 days ago they paid 20 euros."},
        {"Prices rose by a quarter to 5 euros.", "Prices rose by 25% to €5."},
        {"It went from a quarter to three quarters.", "It went from 25% to 75%."},
        {"Staff fell by a quarter to 12.", "Staff fell by 25% to 12."},
        {"Sales fell by half after 5 years.", "Sales fell by 50% after 5 years."},
        {"It opens at 0:30.", "It opens at half past twelve am."},
        {"It opens at 9:30.", "It opens at half past nine sharp."},
        {"It is at 8:45.", "It is at a quarter to nine already."},
        {"Bill: EUR 20. Minutes are kept.", "The bill is 20 euros."},
        {"100,200,300,400,500,600,700,800,900,101,102,103,104,105,106,107,108,109,1000,2 are ids.",
         "The ids include 300 and 500."},
        {"It is from 9:15 to 9:45.", "It is from a quarter past nine to a quarter to ten."},
        {"It ends at 21:30.", "It ends at half past nine pm."},
        {0}};
    all_meet(rows);
}
END_TEST

START_TEST(other_numbers_do_not)
{
    static const struct pair rows[] = {
        {"It grew by 46%.", "It grew by 4.6%."},
        {"It cost $1.75 million.", "It cost $17.5 million."},
        {"There were 5 of them on 5 March.", "It was the 5,000 of them that came."},
        {"We had four people.", "We had six people."},
        {"a three-year term", "a five-year term"},
        {"We close at 18:00.", "We close at 20:00."},
        {"We open at 9:15 am.", "We open at 9:15 pm."},
        {"We open at 08:00.", "We open at 20:00."},
        {"We wait twenty days.", "We pay 20%."},
        {"The order is T11873.", "The order is T11837."},
        {"It weighs 1.8 tonnes.", "It weighs 1.8 kg."},
        {"about 350 of them", "about 500 of them"},
        {"The lag was 412s on six on nine.", "The lag was 421 s."},
        {"Invoice 1000001 is due.", "Invoice 1000002 is due."},
        {"The account is 4711123456.", "The account is 4711123999."},
        {"It is 20 m long.", "It is 20 million of them."},
        {"They made €4.2 million.", "They made $4.2 million."},
        {"It cost $5 in all.", "It cost £5 in all."},
        {"They pay $50 to 3 million people.", "They pay $50 million."},
        {"It cost EUR 50 in all.", "It cost 50 pounds in all."},
        {"It starts at 9:30.", "It starts at half past ten."},
        {"It starts at 9:15.", "It starts at a quarter to nine."},
        {0}};
    none_meets(rows);
}
END_TEST

START_TEST(dates_meet_in_every_form)
{
    static const struct pair rows[] = {
        {"On the 4th of December, 2023 it began.", "It began on 4 December 2023."},
        {"It began on 2024-03-15.", "It began on March 15, 2024."},
        {"Es war am 3. März.", "Es war am 3.3. so weit."},
        {"from the 7th to the 18th of October", "7–18 October"},
        {"on May 14 and 15", "14–15 May"},
        {"le 24 octobre", "le 24/10"},
        {"4 maggio 1911", "4/5/1911"},
        {"1 января 2024 года", "01.01.2024"},
        {"It is due in the first quarter of 2025.", "It is due in Q1 2025."},
        {"The meeting was on 5 March 2024.", "The meeting was on a Tuesday."},
        {"on Monday 26 and Tuesday 27 May", "on 26 and 27 May"},
        {"meeting: 7 April 2024", "The meeting is on April 7, 2024."},
        {"It began in May 2024, we hear.", "It began in 05/2024."},
        {"It began in May 2024, we hear.", "{\"from\": \"2024-05\"}"},
        {0}};
    static const struct pair others[] = {
        {"It began on 3 August 2022.", "It began on 2022-03-08."},
        {"It begins in the first week of May.", "It begins in June, we hear."},
        {"It is due in Q3 of 2025.", "It is due in Q4 of 2025."},
        {"on Saturday they met", "They met on Friday."},
        {"The meeting was on 5 March 2024.", "The meeting was on a Monday."},
        {"It cost 3.05 in all.", "It came in May, we hear."},
        {0}};
    all_meet(rows);
    none_meets(others);
    ck_assert_int_eq(date_weekday(2024, 2, 29), 4);
    ck_assert_int_eq(date_weekday(2000, 1, 1), 6);
    ck_assert_int_eq(date_weekday(1970, 1, 4), 7);
}
END_TEST

START_TEST(names_meet_if_inflected_or_short)
{
    static const struct pair rows[] = {
        {"Dr. Maria Lopez said so.", "They asked Lopez, who agreed."},
        {"We met Maria in Belgium.", "They met the Belgian there."},
        {"He came from Denmark.", "They met the Danish one."},
        {"The Institute of Solid Earth paid.", "They say the ISE paid."},
        {"Der Verwaltungsgerichtshof entschied.", "Es entschied der VGH."},
        {"The PTA has met.", "They say the Parent-Teacher Association has met."},
        {"Москва и Бессонова", "Были в Москве и у Бессоновой"},
        {"We met Anna Müller.", "They met Anna Mueller."},
        {"We met Anna Mueller.", "They met Anna Müller."},
        {"We met Søren in Łódź.", "They met Soren in Lodz."},
        {"Das Haus von Frau Müller", "Frau Muellers Haus"},
        {"He lived in Oslo.", "They met the Osloer again."},
        {"Costs fell by 4 percent in Oslo.",
         "## Key Findings\n\n  **1. Costs** fell by 4 percent in Oslo."},
        {0}};
    static const struct pair others[] = {
        {"Dr. Volkan Demirci came.", "It was Dr. Demirel who came."},
        {"It is in stock in Copenhagen.", "It is in Stockholm by now."},
        {"on 30 March with Helena", "They met Marchbanks there."},
        {"We asked Mr. Takahashi.", "They asked Mr. Tanaka."},
        {"Minh will bisect it.", "Dmitri will bisect it."},
        {"We rent a flat.", "They rent it from Ashdown Estates."},
        {"We met Michal there.", "They met Michael there."},
        {"We met Bauer there.", "They met Baur there."},
        {"Elena Kubicki traf neun Mal.",
         "Lena Kubicki hat die neun Tore und ist die beste der Liga."},
        {0}};
    all_meet(rows);
    none_meets(others);
}
END_TEST

START_TEST(quotations_are_held_against_the_words)
{
    static const struct pair rows[] = {
        {"“We lost the market hall, but nobody lost a life,” she said.",
         "She said: \"We lost … but nobody lost a life\"."},
        {"Er nennt es »Sieg der Vernunft«.", "Er nennt es „Sieg der Vernunft“."},
        {0}};
    static const struct pair others[] = {
        {"She said that nobody was hurt.", "She said \"nobody was killed at all\"."},
        {"Er nennt es einen Sieg.", "Er nennt es »Sieg der Vernunft«."},
        {0}};
    all_meet(rows);
    none_meets(others);
}
END_TEST

Suite *suite_grounding(void)
{
    const TTest *const tests[] = {numbers_meet_in_every_form,
                                  other_numbers_do_not,
                                  dates_meet_in_every_form,
                                  names_meet_if_inflected_or_short,
                                  quotations_are_held_against_the_words,
                                  NULL};
    Suite *s = suite_create("grounding");
    TCase *c = tcase_create("grounding");
    tcase_add_checked_fixture(c, set_up, tear_down);
    for (size_t i = 0; tests[i]; i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
