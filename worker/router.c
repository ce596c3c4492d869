#include "router.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"

enum { HEADERS_MAX = 64, HEADER_MAX = 16384 };

struct service {
    const struct config_backend *config;
    const struct dialect *dialect;
    char *key; /* NULL: none */
    size_t base_len;
    struct endpoint *endpoint;
};

struct router {
    const struct config *config;
    struct caller *caller;
    struct service services[CONFIG_BACKENDS_MAX];
};

void router_free(struct router *r)
{
    for (size_t i = 0; i < r->config->backends.count; i++) {
        struct service *s = &r->services[i];
        if (s->key)
            explicit_bzero(s->key, strlen(s->key));
        free(s->key);
    }
    free(r);
}

size_t router_backend(const struct router *r, const struct config_candidate *c)
{
    return (size_t)(config_backend_find(r->config, c->backend) -
                    (const struct config_backend *)r->config->backends.items);
}

/* "Authorization: Bearer KEY", or as the configuration says. */
static void write_key_header(const struct service *s, struct buf *out)
{
    const char *header = s->config->key_header;
    if (header)
        buf_printf(out, "%s: %s", header, s->key);
    else
        buf_printf(out, "%s%s", s->dialect->key_header, s->key);
}

static struct endpoint *make_endpoint(struct router *r, struct service *s)
{
    struct buf key;
    const char *headers[HEADERS_MAX];
    char *lines[HEADERS_MAX];
    size_t n = 0, own = 0;
    buf_init(&key, HEADER_MAX);
    headers[n++] = "Content-Type: application/json";
    headers[n++] = "Accept: application/json";
    headers[n++] = "Expect:"; /* no round trip to ask whether the body may be sent */
    for (size_t i = 0; s->dialect->headers[i]; i++)
        headers[n++] = s->dialect->headers[i];
    if (s->key) {
        write_key_header(s, &key);
        headers[n++] = key.data;
    }
    for (size_t i = 0; i < s->config->headers.count && n < HEADERS_MAX; i++) {
        const struct config_pair *h = &s->config->headers.items[i];
        headers[n++] = lines[own++] = mem_format("%s: %s", h->name, h->value);
    }
    struct endpoint *e = caller_endpoint(r->caller, s->config, headers, n);
    while (own > 0)
        free(lines[--own]);
    if (key.data)
        explicit_bzero(key.data, key.len);
    buf_free(&key);
    return e;
}

struct router *router_new(const struct config *c, struct caller *caller, struct error *err)
{
    const struct config_backend *b = c->backends.items;
    struct router *r = mem_zero(sizeof *r);
    r->config = c;
    r->caller = caller;
    for (size_t i = 0; i < c->backends.count; i++) {
        struct service *s = &r->services[i];
        s->config = &b[i];
        s->dialect = dialects[b[i].dialect];
        if (config_secret(b[i].api_key_env, b[i].api_key_file, &s->key, err) != QUERN_OK) {
            (void)error_prefix(err, "backend \"%s\": api_key_file", b[i].name);
            router_free(r);
            return NULL;
        }
        if (!s->key && b[i].api_key_env)
            log_warn("a key is not set; calls go without one", LOG_S("backend", b[i].name),
                     LOG_S("variable", b[i].api_key_env));
        s->base_len = strlen(b[i].base_url);
        while (s->base_len && b[i].base_url[s->base_len - 1] == '/')
            s->base_len--;
        s->endpoint = make_endpoint(r, s);
    }
    return r;
}

struct endpoint *router_endpoint(const struct router *r, size_t backend)
{
    return r->services[backend].endpoint;
}

void router_url(const struct router *r, size_t backend, const struct request *q, struct buf *out)
{
    const struct service *s = &r->services[backend];
    const char *path = s->config->url_path ? s->config->url_path : "{path}";
    buf_add(out, s->config->base_url, s->base_len);
    while (*path) {
        if (strncmp(path, "{path}", 6) == 0) {
            s->dialect->path(q, out);
            path += 6;
        } else if (strncmp(path, "{model}", 7) == 0) {
            buf_url_segment(out, q->model);
            path += 7;
        } else {
            buf_char(out, *path++);
        }
    }
}

const struct dialect *router_dialect(const struct router *r, size_t backend)
{
    return r->services[backend].dialect;
}

void router_redact(const struct router *r, size_t backend, char *text, size_t len)
{
    const char *key = r->services[backend].key;
    size_t n = key ? strlen(key) : 0;
    char *end = text + len, *at;
    while (n && (at = memmem(text, (size_t)(end - text), key, n)) != NULL) {
        memset(at, '*', n);
        text = at + n;
    }
}
