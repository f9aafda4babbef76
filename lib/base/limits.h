/*
 * Every bound of Comity, in one place. proto/limits.json says the same to strangers, and a test
 * holds the two together. Sizes in bytes, times in seconds, unless the name says otherwise.
 */
#pragma once

#define LIMIT_ENTITY_ID 255     /* "https://host[:port]" */
#define LIMIT_PASS 2000         /* characters of an SD-JWT without its proof */
#define LIMIT_PRESENTATION 4000 /* characters with disclosures and proof */
#define LIMIT_QR_TEXT (2 * LIMIT_PRESENTATION + 300)
#define LIMIT_DISCLOSURES 16
#define LIMIT_CONFIGURATION (8 * 1024)
#define LIMIT_STATUS_ENTRIES 32768
#define LIMIT_STATUS_TOKEN (16 * 1024)
#define LIMIT_STATUS_LISTS 4
#define LIMIT_STAMP (8 * 1024)
#define LIMIT_STAMPS_PER_POST 16

#define LIMIT_JSON (1024 * 1024) /* bytes of any text */
#define LIMIT_JSON_DEPTH 8
#define LIMIT_JSON_MEMBERS 64
#define LIMIT_JSON_ITEMS 1024
#define LIMIT_JSON_INT 9007199254740991 /* 2^53 - 1 */

#define LIMIT_HTTP_HEADERS (8 * 1024)
#define LIMIT_HTTP_BODY (64 * 1024)
#define LIMIT_HTTP_HEADER_TIME 5
#define LIMIT_HTTP_BODY_TIME 10
#define LIMIT_HTTP_WRITE_TIME 10
#define LIMIT_HTTP_IDLE_TIME 60
#define LIMIT_HTTP_CONNECTIONS 512 /* a loop */

#define LIMIT_FETCH_TIME 10
#define LIMIT_FETCH_PARALLEL 32

#define LIMIT_NAME 128 /* of a person, a space, a token */
#define LIMIT_EMAIL 254
#define LIMIT_EXTERNAL_ID 64
#define LIMIT_TIER 32
#define LIMIT_LANGUAGE 35
#define LIMIT_IDEMPOTENCY_KEY 128
#define KEEP_IDEMPOTENCY 86400 /* a key's answer is kept for so long */

#define LIMIT_CLOCK_SKEW 120 /* of any other party's clock */
#define LIMIT_PROOF_AGE 90   /* a holder proof is good for so long */
#define LIMIT_PROOF_AHEAD 30
#define LIMIT_VERIFICATION_TIME 600
#define LIMIT_VERIFICATIONS 16384 /* kept in memory */
#define LIMIT_REPLAY_ENTRIES 65536
#define LIMIT_REQUEST_SIGNATURE_TIME 120

#define LIMIT_PASS_DAYS 30
#define LIFETIME_CONFIGURATION (30 * 86400)
#define RENEW_CONFIGURATION (10 * 86400)
#define LIFETIME_STATUS_LIST (7 * 86400)
#define RENEW_STATUS_LIST 86400
#define TTL_STATUS_LIST 3600
#define FRESH_PREFERRED (72 * 3600)  /* `online_preferred`: admits on data up to this age */
#define FRESH_REQUIRED 600           /* `online_required`: the same */
#define STALE_DIRECTORY (14 * 86400) /* an expired configuration still asks for so long */

#define LIMIT_SPACES 256 /* served by one process */
#define LIMIT_PEERS 4096
#define LIMIT_KEYS_PER_ENTITY 8
