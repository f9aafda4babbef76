#include "api.h"

#include "app/verify.h"

void api_verify(struct http_request *r)
{
    _cleanup_(json_freep) struct json *body = api_body(r);
    _cleanup_(buf_clear) struct buf text = {0};
    struct verify_answer answer = {0};
    struct verify_request request = {.desk = r->holder.id, .promise = true};
    int result;

    if (!body)
        return;
    if (json_get_str(body, "token", &request.text)) {
        api_invalid(r, "token must be a string: what the desk scanned");
        return;
    }
    if (json_get_bool(body, "explain", &request.explain) == JSON_E_TYPE) {
        api_invalid(r, "explain must be true or false");
        return;
    }
    buf_reserve(&text, 1024); /* what most answers need, at once */
    result = verify_presentation(r->thread, r->space, &request, &answer);
    if (!result)
        result = verify_answer_write(&answer, &text);
    verify_answer_clear(&answer);
    if (result)
        http_app_problem(r, result, NULL);
    else
        http_answer_json(r, 200, buf_as_str(&text));
}
