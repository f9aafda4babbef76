#include "api.h"

/* A node that cannot write still verifies; but no desk can check in, and somebody has to look. */
void api_health(struct http_request *r)
{
    struct app *app = r->thread->app;
    bool signer = atomic_load_explicit(&app->signer_fails, memory_order_relaxed);
    bool writer = atomic_load_explicit(&app->writes_fail, memory_order_relaxed);
    _cleanup_(buf_clear) struct buf members = {0};
    struct err err = {0};

    if (!signer && !writer) {
        http_answer_json(r, 200, STR("{\"status\":\"ok\"}"));
        return;
    }
    err_set(&err, 0, "the last time it was asked to, this node could not %s",
            signer ? "sign" : "write to its disk");
    buf_printf(&members, "\"signer\":\"%s\",\"writer\":\"%s\"", signer ? "failing" : "ok",
               writer ? "failing" : "ok");
    http_problem_answer(r, &(struct http_problem){.status = 503,
                                                  .code = "internal",
                                                  .title = "Not in order",
                                                  .err = &err,
                                                  .members = buf_as_str(&members)});
}
