/* A small HTTP server inside the loop, for those who watch the worker: GET of a few paths. Bounded
 * in connections, memory and time; what a page says is asked of the caller. */
#ifndef QUERN_HTTPD_H
#define QUERN_HTTPD_H
#include <ev.h>

#include "common/buf.h"
#include "common/error.h"

enum { HTTPD_BODY_MAX = 16 << 20 };

struct httpd;
/* Appends the body of a page and returns its HTTP status, or 0: there is no such page. */
typedef unsigned httpd_page(void *arg, const char *path, struct buf *body);

/* Listens on "HOST:PORT" ("[::]:9464"; port 0: any, which the log tells). NULL: `err` says why not.
 */
MUST_CHECK struct httpd *httpd_new(struct ev_loop *loop, const char *listen, httpd_page *page,
                                   void *arg, struct error *err);
void httpd_free(struct httpd *h);
#endif
