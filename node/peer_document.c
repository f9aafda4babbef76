#include "peer_document.h"

#include <stdio.h>

#include "app/peer.h"
#include "cred/status_list.h"
#include "fed/configuration.h"

void peer_document_uri(const char *id, int list, char out[static PEER_DOCUMENT_URI])
{
    if (list == PEER_CONFIGURATION)
        snprintf(out, PEER_DOCUMENT_URI, "%s" CONFIGURATION_PATH, id);
    else
        snprintf(out, PEER_DOCUMENT_URI, "%s" CONFIGURATION_STATUS_PATH "%d", id, list);
}

struct fetch_request peer_document_request(const char *uri, int list)
{
    bool configuration = list == PEER_CONFIGURATION;

    return (struct fetch_request){
        .url = uri,
        .accept = configuration ? "application/" CONFIGURATION_TYP : "application/" STATUS_TYP,
        .max = configuration ? LIMIT_CONFIGURATION : LIMIT_STATUS_TOKEN,
    };
}

const char *peer_document_name(const char *uri, int list)
{
    return list == PEER_CONFIGURATION ? NULL : uri;
}

int peer_document_received(struct app_thread *t, const char *id, int list, const char *uri,
                           struct str text, struct err *err)
{
    if (list == PEER_CONFIGURATION)
        return peer_configuration_received(t, id, text, err);
    return peer_status_received(t, id, uri, text, err);
}
