#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "app/csv.h"
#include "app/member.h"
#include "base/map.h"

enum column {
    COLUMN_NAME,
    COLUMN_TIER,
    COLUMN_EMAIL,
    COLUMN_EXTERNAL_ID,
    COLUMN_LANGUAGE,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    [COLUMN_NAME] = "name",         [COLUMN_TIER] = "tier",
    [COLUMN_EMAIL] = "email",       [COLUMN_EXTERNAL_ID] = "external_id",
    [COLUMN_LANGUAGE] = "language",
};

struct import_row {
    size_t line;
    struct member_row row;
};

struct import_job {
    struct app_job job;
    struct app_thread *t;
    struct import_result *result;
    bool dry_run;
    int columns[COLUMNS];    /* which field, -1 if the file has none */
    size_t n_columns;        /* of the first line */
    struct import_row *rows; /* owned */
    size_t n, cap;
    struct map *lines; /* owned: external id to the line that has it */
};

static void complain(struct import_job *j, size_t line, const char *fmt, ...) _printf_(3, 4);

static void complain(struct import_job *j, size_t line, const char *fmt, ...)
{
    struct import_result *result = j->result;
    if (result->n_errors < ARRAY_SIZE(result->errors)) {
        va_list ap;
        va_start(ap, fmt);
        result->errors[result->n_errors].line = line;
        vsnprintf(result->errors[result->n_errors].text, sizeof(result->errors[0].text), fmt, ap);
        va_end(ap);
    }
    result->n_errors++;
}

static void read_header(struct import_job *j, const struct csv *csv)
{
    for (int k = 0; k < COLUMNS; k++)
        j->columns[k] = -1;
    j->n_columns = csv->n;
    for (size_t i = 0; i < csv->n; i++) {
        struct str name = str_trim(csv_field(csv, i));
        int known = -1;
        for (int k = 0; k < COLUMNS; k++) {
            if (str_eqz(name, column_names[k]))
                known = k;
        }
        if (known < 0 && csv->n == 1 && name.n > 0 && memchr(name.p, ';', name.n)) {
            complain(j, csv->line, "the columns are separated by ';': save it with commas");
            j->n_columns = 0;
            return;
        }
        if (known < 0 && (name.n > 40 || !str_is_printable(name)))
            complain(j, csv->line, "the name of column %zu is too long, or no plain UTF-8", i + 1);
        else if (known < 0)
            complain(j, csv->line,
                     "column \"%.*s\" is not known: use name, tier, email, external_id, "
                     "language",
                     STR_ARG(name));
        else if (j->columns[known] >= 0)
            complain(j, csv->line, "column \"%s\" is there twice", column_names[known]);
        else
            j->columns[known] = (int)i;
    }
    if (j->columns[COLUMN_NAME] < 0 && j->result->n_errors == 0)
        complain(j, csv->line, "the first line must name the columns, and \"name\" is missing");
    if (j->result->n_errors > 0)
        j->n_columns = 0; /* what follows cannot be read */
}

static bool copy_column(struct import_job *j, const struct csv *csv, enum column k, char *dst,
                        size_t cap)
{
    if (j->columns[k] < 0)
        return true;
    if (str_copy(dst, cap, str_trim(csv_field(csv, (size_t)j->columns[k]))) == 0)
        return true;
    complain(j, csv->line, "%s is longer than %zu bytes", column_names[k], cap - 1);
    return false;
}

/* One external id names one member: of two lines with it, one would be lost. */
static int check_once(struct import_job *j, size_t line, const char *external_id)
{
    struct str id = str_of(external_id);
    uintptr_t earlier = id.n > 0 ? (uintptr_t)map_get(j->lines, id) : 0;
    if (earlier)
        complain(j, line, "external_id \"%s\" is in line %zu already", external_id,
                 (size_t)earlier);
    return earlier || id.n == 0 ? 0 : map_put(j->lines, id, (void *)(uintptr_t)line);
}

static int read_row(struct import_job *j, const struct csv *csv)
{
    struct member_facts f = {0};
    struct err err = {0};
    if (csv->n == 1 && str_trim(csv_field(csv, 0)).n == 0)
        return 0; /* an empty line */
    if (csv->n != j->n_columns) {
        complain(j, csv->line, "%zu fields, where the first line names %zu columns", csv->n,
                 j->n_columns);
        return 0;
    }
    if (!copy_column(j, csv, COLUMN_NAME, f.name, sizeof(f.name)) ||
        !copy_column(j, csv, COLUMN_TIER, f.tier, sizeof(f.tier)) ||
        !copy_column(j, csv, COLUMN_EMAIL, f.email, sizeof(f.email)) ||
        !copy_column(j, csv, COLUMN_EXTERNAL_ID, f.external_id, sizeof(f.external_id)) ||
        !copy_column(j, csv, COLUMN_LANGUAGE, f.language, sizeof(f.language)))
        return 0;
    if (member_check(&f, &err) != 0) {
        complain(j, csv->line, "%.150s", err.text);
        return 0;
    }
    if (j->n == IMPORT_ROWS_MAX)
        return -E2BIG;
    if (j->n == j->cap) {
        size_t cap = j->cap ? 2 * j->cap : 64;
        struct import_row *rows = realloc(j->rows, cap * sizeof(*rows));
        if (!rows)
            return -ENOMEM;
        j->rows = rows;
        j->cap = cap;
    }
    j->rows[j->n].line = csv->line;
    int r = check_once(j, csv->line, f.external_id);
    return r != 0 ? r : member_row_new(j->t, &f, &j->rows[j->n++].row);
}

static int read_all(struct import_job *j, struct str text)
{
    struct csv csv;
    csv_start(&csv, text);
    int r = csv_next(&csv);
    if (r == 0)
        read_header(j, &csv);
    else if (r > 0)
        complain(j, 1, "the file is empty, or its first line is no CSV");
    while (r == 0 && j->n_columns > 0 && j->result->n_errors < ARRAY_SIZE(j->result->errors) &&
           (r = csv_next(&csv)) == 0)
        r = read_row(j, &csv);
    if (r == CSV_E_QUOTES && j->n_columns > 0)
        complain(j, csv.line, "a quoted field is not closed, or text follows it");
    else if (r == CSV_E_FIELDS && j->n_columns > 0)
        complain(j, csv.line, "more than %d fields", CSV_FIELDS_MAX);
    csv_clear(&csv);
    return r < 0 ? r : 0;
}

/* What a file has no column for stays as it is. True if anything changes. */
static bool overlay(const struct import_job *j, const struct member_row *in,
                    struct member_row *known)
{
    const struct {
        const char *from;
        char *to;
        size_t size;
    } texts[COLUMNS] = {
        [COLUMN_NAME] = {in->name, known->name, sizeof(known->name)},
        [COLUMN_TIER] = {in->tier, known->tier, sizeof(known->tier)},
        [COLUMN_EMAIL] = {in->email, known->email, sizeof(known->email)},
        [COLUMN_LANGUAGE] = {in->language, known->language, sizeof(known->language)},
    };
    bool changed = false;
    for (int k = 0; k < COLUMNS; k++) {
        if (!texts[k].to || j->columns[k] < 0 || strcmp(texts[k].from, texts[k].to) == 0)
            continue;
        memcpy(texts[k].to, texts[k].from, texts[k].size);
        changed = true;
    }
    return changed;
}

static int import_one(struct import_job *j, struct store *store, struct import_row *in)
{
    struct member_row known;
    int r = in->row.external_id[0] ? store_member_by_external_id(store, in->row.external_id, &known)
                                   : STORE_E_ABSENT;
    if (r == STORE_E_ABSENT) {
        j->result->added++;
        r = store_member_add(store, &in->row);
        if (r == STORE_E_EXISTS) {
            complain(j, in->line, "a member with that external_id is there already");
            r = 0;
        }
        return r;
    }
    if (r != 0)
        return r;
    if (!overlay(j, &in->row, &known)) {
        j->result->unchanged++;
        return 0;
    }
    j->result->updated++;
    known.changed_at = in->row.changed_at;
    return store_member_update(store, &known);
}

/* A dry run does all of the work inside the transaction, and then has it undone. */
static int import_run(struct app_job *job, struct store *store)
{
    struct import_job *j = (struct import_job *)job;
    int r = 0;
    for (size_t i = 0; r == 0 && i < j->n; i++)
        r = import_one(j, store, &j->rows[i]);
    if (r == 0 && j->result->n_errors > 0)
        return APP_E_INVALID;
    return r == 0 && j->dry_run ? APP_DONE : r;
}

int member_import(struct app_thread *t, struct space *space, struct str csv, bool dry_run,
                  struct import_result *out, struct err *err)
{
    struct import_job j = {
        .job = {.space = space, .run = import_run}, .t = t, .result = out, .dry_run = dry_run};
    memset(out, 0, sizeof(*out));
    uint64_t seed;
    int r = rand_fill(&t->rand, &seed, sizeof(seed));
    if (r == 0)
        r = map_new(IMPORT_ROWS_MAX, seed, NULL, &j.lines);
    if (r == 0)
        r = read_all(&j, csv);
    if (r == 0)
        r = out->n_errors > 0 ? APP_E_INVALID : app_do(t->app, &j.job);
    free(j.rows);
    map_free(j.lines);
    if (r != 0)
        out->added = out->updated = out->unchanged = 0;
    if (r == -E2BIG)
        return err_set(err, APP_E_LIMIT, "one import has at most %d rows", IMPORT_ROWS_MAX);
    if (r == APP_E_INVALID) {
        err_set(err, r, "nothing was imported: %zu mistake%s; the first is in line %zu: %s",
                out->n_errors, out->n_errors == 1 ? "" : "s", out->errors[0].line,
                out->errors[0].text);
        return err_next(err, r, "correct the file and import it again");
    }
    return r;
}
