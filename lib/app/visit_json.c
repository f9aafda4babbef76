/* A visit in JSON: proto/schemas/visit.json. */
#include "app/check_in.h"
#include "base/json_text.h"

static void write_codes(const char *codes, struct buf *out)
{
    struct str rest = str_of(codes), code;
    buf_ch(out, '[');
    while (rest.n > 0) {
        str_cut(rest, ',', &code, &rest);
        if (out->p[out->n - 1] != '[')
            buf_ch(out, ',');
        json_text_string(out, code);
    }
    buf_ch(out, ']');
}

int visit_write(const struct visit_row *v, struct buf *out)
{
    buf_ch(out, '{');
    json_text_member(out, "visit", v->id);
    json_text_member(out, "verdict", v->verdict);
    json_text_name(out, "reasons");
    write_codes(v->reasons, out);
    json_text_member_bool(out, "confirmed", v->confirmed);
    json_text_name(out, "home");
    buf_ch(out, '{');
    json_text_member(out, "id", v->home);
    buf_ch(out, '}');
    json_text_member(out, "name", v->name[0] ? v->name : NULL);
    json_text_member(out, "tier", v->tier);
    json_text_member_bool(out, "proven", v->nonce[0] != 0);
    json_text_member(out, "day", v->day);
    json_text_member_time(out, "checked_in", "checked_in_at", v->checked_in);
    if (v->checked_out != 0) {
        json_text_member_time(out, "checked_out", "checked_out_at", v->checked_out);
    } else {
        json_text_member(out, "checked_out", NULL);
        json_text_member(out, "checked_out_at", NULL);
    }
    json_text_member_int(out, "data_age_s", v->data_age_s);
    json_text_member(out, "desk", v->desk);
    json_text_member(out, "stamp", v->stamp_state);
    return buf_ch(out, '}');
}
