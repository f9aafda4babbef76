#include "api.h"
#include "app/stamps.h"

#define DESK (1u << TOKEN_DESK | 1u << TOKEN_MANAGER)
#define ANY_TOKEN (DESK | 1u << TOKEN_INTEGRATION)

/* The desk's first, since it waits. */
const struct route routes[] = {
    {HTTP_POST, "/api/v1/verify", ANY_TOKEN, API_DESK_BODY, api_verify},
    {HTTP_POST, "/api/v1/checkin", DESK, API_DESK_BODY, api_check_in},
    {HTTP_POST, "/api/v1/checkout", DESK, 1024, api_check_out},
    {HTTP_GET, "/.well-known/openid-federation", 0, 0, api_configuration},
    {HTTP_GET, "/.well-known/jwt-vc-issuer", 0, 0, api_issuer},
    {HTTP_GET, "/status/*", 0, 0, api_status},
    {HTTP_POST, STAMPS_PATH, 0, LIMIT_HTTP_BODY, api_stamps},
    {HTTP_GET, "/p", 0, 0, api_pass_page},
    {HTTP_GET, "/p.css", 0, 0, api_pass_style},
    {HTTP_GET, "/p.js", 0, 0, api_pass_script},
    {HTTP_GET, "/healthz", 0, 0, api_health},
    {0},
};
