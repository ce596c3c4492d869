#include "common/template.h"

#include <string.h>

quern_status template_fill(const char *text, template_lookup *lookup, const void *row,
                           struct buf *out, struct error *err)
{
    const char *open;
    while ((open = strstr(text, "{{")) != NULL) {
        buf_add(out, text, (size_t)(open - text));
        const char *close = strstr(open, "}}");
        if (!close)
            return error_set(err, ERROR_PERMANENT, "invalid_input",
                             "the template has \"{{\" without \"}}\"");
        const char *name = open + 2;
        size_t value_len, len = (size_t)(close - name);
        while (len && *name == ' ')
            name++, len--;
        while (len && name[len - 1] == ' ')
            len--;
        const char *value = lookup(row, name, len, &value_len);
        if (!value)
            return error_set(err, ERROR_PERMANENT, "invalid_input",
                             "the template asks for {{%.*s}}, which is no field here", (int)len,
                             name);
        buf_add(out, value, value_len);
        text = close + 2;
    }
    buf_str(out, text);
    return QUERN_OK;
}

int template_name(const char *const names[], const char *name, size_t len)
{
    for (int i = 0; names[i]; i++)
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
            return i;
    return -1;
}

static const char *look_up_name(const void *names, const char *name, size_t len, size_t *value)
{
    *value = 0;
    return template_name(names, name, len) < 0 ? NULL : "";
}

quern_status template_check(const char *text, const char *const names[], struct error *err)
{
    struct buf unused;
    buf_init(&unused, strlen(text) + 1);
    quern_status status = template_fill(text, look_up_name, (const void *)names, &unused, err);
    buf_free(&unused);
    return status;
}
