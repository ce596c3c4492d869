/* From a candidate to what is called: for each backend its endpoint and the way to its urls. */
#ifndef QUERN_ROUTER_H
#define QUERN_ROUTER_H
#include "call.h"
#include "dialect.h"

struct router;

/* Reads the keys. NULL: `err` says which cannot be read. */
struct router *router_new(const struct config *c, struct caller *caller, struct error *err);
void router_free(struct router *r);

/* The position of a candidate's backend in the configuration. */
size_t router_backend(const struct router *r, const struct config_candidate *c);
/* Its headers and limits, with the key that is in use: *key is its position. */
struct endpoint *router_endpoint(const struct router *r, size_t backend, size_t *key);
/* Reads the keys again; where that fails, the old ones stay, and the log says so. */
void router_read_keys(struct router *r);
/* How many keys the backend has. */
size_t router_keys(const struct router *r, size_t backend);
/* A call with that key was refused for it: the next is used, if there is one. True: it had been
 * replaced meanwhile, which says nothing of the present ones. */
bool router_refuse_key(struct router *r, size_t backend, size_t key);
/* Appends where a request goes on that backend. */
void router_url(const struct router *r, size_t backend, const struct request *q, struct buf *out);
/* Overwrites the backend's keys with asterisks wherever they stand in a text: some services, and
 * proxies in between, repeat them. `answer`: as in keyring_redact(). */
void router_redact(const struct router *r, size_t backend, char *text, size_t len, bool answer);
const struct dialect *router_dialect(const struct router *r, size_t backend);
#endif
