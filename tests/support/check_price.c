/* What calls cost by a price file. Reads lines of "model TAB tier TAB input cached cache_write
 * cache_write_1h output reasoning", prints pico-dollars, or "-" for a model without a price. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/price_read.h"

enum { FILE_MAX_BYTES = 64 << 20, LINE_MAX_BYTES = 1024 };

static void answer(const struct price_table *t, char *line)
{
    char *rest = line, *end;
    const char *model = strsep(&rest, "\t"), *tier = strsep(&rest, "\t");
    struct usage u = {0};
    int64_t *const fields[] = {&u.input,          &u.cached, &u.cache_write,
                               &u.cache_write_1h, &u.output, &u.reasoning};
    while (u.tier < TIER_FLEX && strcmp(price_tier_names[u.tier], tier) != 0)
        u.tier++;
    for (size_t i = 0; rest && i < sizeof fields / sizeof *fields; i++, rest = end)
        *fields[i] = strtoll(rest, &end, 10);
    const struct price *p = price_find(t, model);
    if (p)
        (void)printf("%" PRId64 "\n", price_cost(p, &u));
    else
        (void)puts("-");
}

int main(int argc, char **argv)
{
    struct buf text;
    struct error err;
    char line[LINE_MAX_BYTES];
    struct price_table *t = price_table_new();
    buf_init(&text, FILE_MAX_BYTES);
    if (argc != 2 || file_read(argv[1], &text, &err) != QUERN_OK ||
        price_table_read(t, text.data, text.len, &err) != QUERN_OK) {
        (void)fprintf(stderr, "check-price: %s\n", argc == 2 ? err.message : "give a price file");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, stdin))
        answer(t, line);
    price_table_free(t);
    buf_free(&text);
    return EXIT_SUCCESS;
}
