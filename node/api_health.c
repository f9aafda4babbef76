#include "api.h"

void api_health(struct http_request *r)
{
    http_answer_json(r, 200, STR("{\"status\":\"ok\"}"));
}
