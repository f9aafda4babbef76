#include "visit/reason.h"

#define REFUSE VERDICT_REFUSE
#define ASK VERDICT_ASK

static const struct reason_info reasons[REASON_COUNT] = {
    [REASON_NONE] = {"", VERDICT_ADMIT, 0, "", "", {NULL}},

    [REASON_MALFORMED] = {"malformed",
                          REFUSE,
                          1,
                          "This is not a pass that can be read.",
                          "Ask the visitor to show it again, brighter and unfolded. If it stays "
                          "unreadable, their home space can send a new one.",
                          {NULL}},
    [REASON_UNSUPPORTED] = {"unsupported",
                            REFUSE,
                            2,
                            "This is a document of a kind that this desk cannot check.",
                            "Ask the visitor for the coworking pass of their home space.",
                            {NULL}},
    [REASON_UNKNOWN_ISSUER] = {"unknown_issuer",
                               REFUSE,
                               3,
                               "The space that this pass names is not known here.",
                               "Offer a paid day. A manager can add the space as a peer, after "
                               "confirming its fingerprint with its staff.",
                               {NULL}},
    [REASON_NOT_RECOGNISED] = {"not_recognised",
                               REFUSE,
                               3,
                               "The home space is known here, but its passes are not accepted.",
                               "Offer a paid day. A manager decides which spaces are recognised.",
                               {NULL}},
    [REASON_SUSPENDED] = {"suspended",
                          REFUSE,
                          3,
                          "The home space is suspended at present.",
                          "Offer a paid day. The visitor can ask their home space about it.",
                          {NULL}},
    [REASON_BAD_SIGNATURE] = {"bad_signature",
                              REFUSE,
                              4,
                              "This pass was not signed by the space that it names, or was changed "
                              "afterwards.",
                              "Ask the visitor to open their pass afresh and scan again. If that "
                              "fails too, do not admit on it, and tell a manager.",
                              {NULL}},
    [REASON_NOT_YET_VALID] =
        {"not_yet_valid",
         REFUSE,
         5,
         "This pass is not valid yet.",
         "Tell the visitor when it begins. If it should be valid by now, check "
         "the clock of this machine.",
         {"valid_from"}},
    [REASON_EXPIRED] = {"expired",
                        REFUSE,
                        5,
                        "This pass has expired.",
                        "Ask the visitor to renew it on their passport page or at their home "
                        "space, and scan again.",
                        {"exp"}},
    [REASON_REVOKED] = {"revoked",
                        REFUSE,
                        6,
                        "The home space has withdrawn this pass.",
                        "Ask whether the visitor has a newer pass. If not, their home space can "
                        "tell them more.",
                        {"age_s"}},
    [REASON_MEMBER_SUSPENDED] = {"member_suspended",
                                 REFUSE,
                                 6,
                                 "The home space has paused this membership.",
                                 "Ask the visitor to settle it with their home space, and scan "
                                 "again afterwards.",
                                 {"age_s"}},
    [REASON_HOLDER_PROOF_BAD] = {"holder_proof_bad",
                                 REFUSE,
                                 7,
                                 "This code does not show that the pass belongs to this phone now.",
                                 "Ask the visitor to open the pass on their own phone, look at the "
                                 "phone's clock, and scan the live code.",
                                 {NULL}},
    [REASON_REPLAYED] = {"replayed",
                         REFUSE,
                         7,
                         "This very code was shown before.",
                         "Wait for the next code on the visitor's phone, and scan that. A picture "
                         "of a code is not enough.",
                         {NULL}},
    [REASON_BLOCKED] = {"blocked",
                        REFUSE,
                        8,
                        "This visitor is not admitted here.",
                        "Stay friendly, do not discuss it at the desk, and call a manager.",
                        {NULL}},
    [REASON_TOO_NEAR] = {"too_near",
                         REFUSE,
                         8,
                         "The home space is nearer than our terms allow for visits.",
                         "Offer a paid day.",
                         {NULL}},
    [REASON_CLOSED] = {"closed",
                       REFUSE,
                       8,
                       "We are closed to visitors at this time.",
                       "Tell the visitor when we are open to visitors again.",
                       {NULL}},
    [REASON_BLACKOUT] = {"blackout",
                         REFUSE,
                         8,
                         "We take no visitors on this day.",
                         "Tell the visitor the next day on which visitors are welcome.",
                         {NULL}},

    [REASON_STATUS_STALE] =
        {"status_stale",
         ASK,
         6,
         "It was not possible to learn of late whether this pass was withdrawn.",
         "Scan again when the network is back; or look at an ID, call the home "
         "space, and decide.",
         {"age_s"}},
    [REASON_STALE_DIRECTORY] = {"stale_directory",
                                ASK,
                                3,
                                "What is known here of the home space is out of date.",
                                "Scan again when the network is back; or call the home space, and "
                                "decide.",
                                {NULL}},
    [REASON_CONFLICT] = {"conflict",
                         ASK,
                         3,
                         "Two statements about the home space contradict each other.",
                         "Ask a manager: they can call the home space and decide.",
                         {NULL}},
    [REASON_UNKNOWN_TERM] = {"unknown_term",
                             ASK,
                             8,
                             "Our terms hold a condition that this node does not understand.",
                             "Read our terms together with the visitor, and decide. Tell a manager "
                             "that the node may need an update.",
                             {NULL}},
    [REASON_HOLDER_PROOF_MISSING] =
        {"holder_proof_missing",
         ASK,
         7,
         "This pass belongs to a phone, and nothing shows that it is "
         "this phone.",
         "Ask the visitor to show the live code on their own phone, and "
         "scan that; or look at an ID, and decide.",
         {NULL}},
    [REASON_PRINTED_PASS] = {"printed_pass",
                             ASK,
                             7,
                             "This is a printed pass: it does not show who carries it.",
                             "Look at an ID, compare the name, and decide.",
                             {NULL}},
    [REASON_ALLOWANCE_USED] = {"allowance_used",
                               ASK,
                               8,
                               "The free days here are used up.",
                               "Offer the paid day.",
                               {NULL}},
    [REASON_FULL] = {"full",
                     ASK,
                     8,
                     "All places for visitors are taken today.",
                     "Look whether there is room; offer another day if not.",
                     {NULL}},
    [REASON_NOTICE_REQUIRED] = {"notice_required",
                                ASK,
                                8,
                                "Our terms want a visit to be announced beforehand.",
                                "Decide whether to make an exception; else help the visitor to "
                                "announce another day.",
                                {NULL}},
    [REASON_APPROVAL_REQUIRED] = {"approval_required",
                                  ASK,
                                  8,
                                  "Our terms want this visit to be approved first.",
                                  "Ask whoever approves visits here.",
                                  {NULL}},
    [REASON_ID_REQUIRED] = {"id_required",
                            ASK,
                            8,
                            "Our terms want a look at an ID.",
                            "Look at an ID with a photo, compare the name, and confirm.",
                            {NULL}},
    [REASON_ALREADY_CHECKED_IN] = {"already_checked_in",
                                   ASK,
                                   9,
                                   "The holder of this pass is checked in here already.",
                                   "If it is the same person, there is nothing to do. If it is "
                                   "someone else, look at an ID and call a manager.",
                                   {"since"}},
};

const struct reason_info *reason_info(enum reason r)
{
    if ((unsigned)r >= REASON_COUNT)
        r = REASON_NONE;
    return &reasons[r];
}

const char *verdict_name(enum verdict v)
{
    static const char *const names[] = {"admit", "ask", "refuse"};

    return v == VERDICT_ADMIT || v == VERDICT_ASK ? names[v] : names[VERDICT_REFUSE];
}
