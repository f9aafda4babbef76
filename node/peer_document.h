/*
 * The documents of a peer, as they are asked for over the network and handed to lib/app: one
 * configuration, and the status lists that it names.
 */
#pragma once

#include "app/app.h"
#include "fetch.h"

#define PEER_CONFIGURATION (-1) /* as number of a list */
#define PEER_DOCUMENT_URI (LIMIT_ENTITY_ID + 64)

/* Where it is. Of a status list that is its name as well. */
void peer_document_uri(const char *id, int list, char out[static PEER_DOCUMENT_URI]);

/* What is asked for. The uri is borrowed by the request. */
struct fetch_request peer_document_request(const char *uri, int list);

/* What lib/app knows it by: a list's uri, NULL for the configuration. */
const char *peer_document_name(const char *uri, int list);

/* Hands over the text that came. As app/peer.h says. */
int peer_document_received(struct app_thread *t, const char *id, int list, const char *uri,
                           struct str text, struct err *err);
