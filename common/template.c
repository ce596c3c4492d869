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
                             "the template asks for {{%.*s}}, which is no field of the input",
                             (int)len, name);
        buf_add(out, value, value_len);
        text = close + 2;
    }
    buf_str(out, text);
    return QUERN_OK;
}
