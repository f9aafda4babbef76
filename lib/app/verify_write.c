/* A verdict in JSON: proto/schemas/verdict.json. */
#include "app/verify.h"
#include "base/json_text.h"

static void write_reason(const struct verify_answer *a, size_t i, struct buf *out)
{
    const struct verdict_reason *r = &a->verdict.reasons[i];
    const struct reason_info *info = reason_info(r->reason);
    if (i > 0)
        buf_ch(out, ',');
    buf_ch(out, '{');
    json_text_member(out, "code", info->code);
    json_text_name(out, "params");
    buf_ch(out, '{');
    for (size_t k = 0; k < r->n_params; k++)
        json_text_member_int(out, r->params[k].name, r->params[k].value);
    buf_ch(out, '}');
    json_text_member(out, "text", info->text);
    json_text_member(out, "next", info->next);
    /* The first reason is the deciding one: the words of what was wrong belong to it. */
    if (i == 0 && a->problem[0])
        json_text_member(out, "detail", a->problem);
    buf_ch(out, '}');
}

/* Who vouches, and for whom: only when the home space really signed it. */
static void write_pass(const struct verify_answer *a, struct buf *out)
{
    if (!a->genuine) {
        json_text_member(out, "home", NULL);
        json_text_member(out, "pass", NULL);
        return;
    }
    json_text_name(out, "home");
    buf_ch(out, '{');
    json_text_member(out, "id", a->pass.iss);
    json_text_member(out, "name", a->home_name);
    json_text_member(out, "country", a->home_country[0] ? a->home_country : NULL);
    buf_ch(out, '}');
    json_text_name(out, "pass");
    buf_ch(out, '{');
    json_text_member(out, "name", a->pass.name[0] ? a->pass.name : NULL);
    json_text_member(out, "tier", a->pass.tier);
    json_text_member_bool(out, "bound", a->pass.bound);
    json_text_member_bool(out, "proven", a->proven);
    json_text_member_time(out, "exp", "expires_at", a->pass.exp);
    buf_ch(out, '}');
}

static void write_steps(const struct verify_answer *a, struct buf *out)
{
    json_text_name(out, "steps");
    buf_ch(out, '[');
    for (size_t i = 0; i < a->n_steps; i++) {
        const struct verify_step *s = &a->steps[i];
        buf_z(out, i > 0 ? ",{" : "{");
        json_text_member_int(out, "step", s->step);
        json_text_member(out, "what", s->what);
        json_text_member(out, "section", s->section);
        json_text_member(out, "found", s->found);
        json_text_member_int(out, "micros", (int64_t)s->micros);
        buf_ch(out, '}');
    }
    buf_ch(out, ']');
}

int verify_answer_write(const struct verify_answer *a, struct buf *out)
{
    buf_ch(out, '{');
    json_text_member(out, "verdict", verdict_name(a->verdict.verdict));
    json_text_name(out, "reasons");
    buf_ch(out, '[');
    for (size_t i = 0; i < a->verdict.n_reasons; i++)
        write_reason(a, i, out);
    buf_ch(out, ']');
    write_pass(a, out);
    if (a->verdict.data_age_s >= 0)
        json_text_member_int(out, "data_age_s", a->verdict.data_age_s);
    else
        json_text_member(out, "data_age_s", NULL);
    json_text_member_bool(out, "refresh_needed", a->verdict.refresh_needed);
    json_text_member(out, "verification", a->verification[0] ? a->verification : NULL);
    if (a->n_steps > 0)
        write_steps(a, out);
    return buf_ch(out, '}');
}
