#include "app/app.h"

#include <errno.h>

#define AT(failure) [(failure)-APP_E_INVALID]

static const struct app_failure_info failures[] = {
    AT(APP_E_INVALID) = {"invalid", "Not acceptable", 400, 1},
    AT(APP_E_ABSENT) = {"not_found", "No such thing", 404, 1},
    AT(APP_E_EXISTS) = {"exists", "There is one already", 409, 1},
    AT(APP_E_STATE) = {"wrong_state", "Not in a state that allows it", 409, 1},
    AT(APP_E_CONFLICT) = {"conflict", "Used before with other content", 409, 1},
    AT(APP_E_REFUSED) = {"refused", "The pass is refused", 403, 3},
    AT(APP_E_CONFIRM) = {"confirmation_required", "Staff must confirm", 403, 4},
    AT(APP_E_FORBIDDEN) = {"forbidden", "Not allowed", 403, 1},
    AT(APP_E_UNAUTHENTICATED) = {"unauthenticated", "Say who you are", 401, 1},
    AT(APP_E_UPSTREAM) = {"upstream", "The other node did not answer as it should", 502, 1},
    AT(APP_E_LIMIT) = {"limit", "A bound is reached", 409, 1},
    AT(APP_E_BUSY) = {"busy", "Too much at once; try again", 503, 1},
};

static const struct app_failure_info internal = {"internal", "The node failed", 500, 1};
static const struct app_failure_info full = {"storage_full", "Nothing can be stored", 503, 1};

const struct app_failure_info *app_failure_info(int result)
{
    if (result == -ENOSPC || result == -EDQUOT || result == -EROFS)
        return &full;
    if (result < APP_E_INVALID || (size_t)(result - APP_E_INVALID) >= ARRAY_SIZE(failures))
        return &internal;
    return &failures[result - APP_E_INVALID];
}
