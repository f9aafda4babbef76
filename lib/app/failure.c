#include "app/app.h"

static const struct app_failure_info failures[] = {
    [APP_E_INVALID] = {"invalid", "Not acceptable", 400, 1},
    [APP_E_ABSENT] = {"not_found", "No such thing", 404, 1},
    [APP_E_EXISTS] = {"exists", "There is one already", 409, 1},
    [APP_E_STATE] = {"wrong_state", "Not in a state that allows it", 409, 1},
    [APP_E_CONFLICT] = {"conflict", "Used before with other content", 409, 1},
    [APP_E_REFUSED] = {"refused", "The pass is refused", 403, 3},
    [APP_E_CONFIRM] = {"confirmation_required", "Staff must confirm", 403, 4},
    [APP_E_FORBIDDEN] = {"forbidden", "Not allowed", 403, 1},
    [APP_E_UNAUTHENTICATED] = {"unauthenticated", "Say who you are", 401, 1},
    [APP_E_UPSTREAM] = {"upstream", "The other node did not answer as it should", 502, 1},
    [APP_E_LIMIT] = {"limit", "A bound is reached", 409, 1},
    [APP_E_BUSY] = {"busy", "Too much at once; try again", 503, 1},
};

static const struct app_failure_info internal = {"internal", "The node failed", 500, 1};

const struct app_failure_info *app_failure_info(int result)
{
    if (result <= 0 || (size_t)result >= ARRAY_SIZE(failures) || !failures[result].code)
        return &internal;
    return &failures[result];
}
