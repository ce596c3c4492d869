#include <stdio.h>
#include <string.h>

#include "verbs.h"

enum { TABLE_COLUMNS_MAX = 32, CELL_MAX = 4096, INT8OID = 20, INT4OID = 23 };

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\n') || c == 0x7F;
}

void table_clean(const char *text)
{
    for (; *text; text++) {
        if (is_control(*text))
            (void)printf("\\x%02x", (unsigned char)*text);
        else
            (void)putchar(*text);
    }
}

/* In a cell, whatever would move the cursor is a question mark: the columns stay. */
static void print_padded(const char *text, int width, bool right)
{
    char cell[CELL_MAX];
    (void)snprintf(cell, sizeof cell, "%s", text);
    for (char *c = cell; *c; c++)
        *c = is_control(*c) || *c == '\n' ? '?' : *c;
    (void)printf(right ? "%*s  " : "%-*s  ", width, cell);
}

static void print_table(const PGresult *r)
{
    int columns = PQnfields(r), width[TABLE_COLUMNS_MAX];
    for (int c = 0; c < columns; c++) {
        width[c] = (int)strlen(PQfname(r, c));
        for (int row = 0; row < PQntuples(r); row++)
            if (PQgetlength(r, row, c) > width[c])
                width[c] = PQgetlength(r, row, c);
    }
    for (int row = -1; row < PQntuples(r); row++) {
        for (int c = 0; c < columns; c++)
            print_padded(row < 0 ? PQfname(r, c) : PQgetvalue(r, row, c), width[c],
                         PQftype(r, c) == INT8OID || PQftype(r, c) == INT4OID);
        (void)putchar('\n');
    }
}

static void print_json(const char *text)
{
    struct buf b;
    buf_init(&b, strlen(text) * 6 + 3);
    buf_json(&b, text, strlen(text));
    (void)fputs(b.data, stdout);
    buf_free(&b);
}

static void print_object(const PGresult *r, int row)
{
    for (int c = 0; c < PQnfields(r); c++) {
        bool number = PQftype(r, c) == INT8OID || PQftype(r, c) == INT4OID;
        (void)printf("%s\"%s\":", c ? "," : "{", PQfname(r, c));
        if (PQgetisnull(r, row, c))
            (void)fputs("null", stdout);
        else if (number)
            (void)fputs(PQgetvalue(r, row, c), stdout);
        else
            print_json(PQgetvalue(r, row, c));
    }
    (void)putchar('}');
}

static void print_csv_cell(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        (void)fputs(text, stdout);
        return;
    }
    (void)putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            (void)putchar('"');
        (void)putchar(*text);
    }
    (void)putchar('"');
}

static void print_csv(const PGresult *r)
{
    for (int row = -1; row < PQntuples(r); row++) {
        for (int c = 0; c < PQnfields(r); c++) {
            if (c)
                (void)putchar(',');
            print_csv_cell(row < 0 ? PQfname(r, c) : PQgetvalue(r, row, c));
        }
        (void)putchar('\n');
    }
}

void table_print(const PGresult *r, enum cli_format format)
{
    if (format == FORMAT_TABLE) {
        print_table(r);
        return;
    }
    if (format == FORMAT_CSV) {
        print_csv(r);
        return;
    }
    bool array = format == FORMAT_JSON;
    if (array)
        (void)putchar('[');
    for (int row = 0; row < PQntuples(r); row++) {
        if (array && row)
            (void)fputs(",\n ", stdout);
        print_object(r, row);
        if (!array)
            (void)putchar('\n');
    }
    if (array)
        (void)puts("]");
}
