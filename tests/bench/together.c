/*
 * bench-together FOLDER: what writing the frames of a commit together gives (decision 007), as the
 * store's CPU for one check-in in groups of 32. bench-apart is the same program on SQLite's own
 * file system: it defines sql_vfs() itself, and so leaves sqlite_vfs.c out of what is linked.
 * Alternate the two; each prints one line of JSON.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/visits.h"

#define GROUP 32
#define GROUPS 400
#define WARM 40

#ifdef APART
const char *sql_vfs(void);

const char *sql_vfs(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* as sqlite_vfs.c has it: not what is compared */
    return "unix";
}
#endif

/* On a CPU, in ns: the first number of the file. One thread, so its file says all. */
static unsigned long long cpu(void)
{
    char text[64] = "";
    int fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        exit(1);
    close(fd);
    return strtoull(text, NULL, 10);
}

static unsigned draw(void)
{
    static unsigned state = 1;

    return (state = state * 1664525u + 1013904223u) >> 8;
}

static void letters(char *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (char)('a' + draw() % 26);
    out[n] = '\0';
}

/* What a check-in writes: the visit, its stamp, the answer to its key. */
static int check_in(struct store *s, unsigned id)
{
    static char token[901], answer[501];
    const uint8_t digest[32] = {1};
    char key[33];
    struct visit_row row = {.home = "https://lisbon.example",
                            .name = "Ana Martins",
                            .status_uri = "https://lisbon.example/status/0",
                            .verdict = "admit",
                            .day = "2025-11-21",
                            .desk = "tok_desk",
                            .stamp_state = "pending"};
    struct visit_row before;
    int r;

    snprintf(row.id, sizeof(row.id), "vis_%026u", id);
    letters(row.sub, 32);
    letters(row.device, 43);
    letters(row.nonce, 32);
    letters(token, sizeof(token) - 1);
    letters(answer, sizeof(answer) - 1);
    letters(key, 32);
    for (size_t i = 0; i < sizeof(row.person); i++)
        row.person[i] = (uint8_t)draw();
    r = store_visit_open(s, row.person, &before);
    if (r == STORE_E_ABSENT)
        r = store_visit_add(s, &row);
    if (r == 0)
        r = store_outbox_put(s, row.id, 1, row.home, str_of(token), 1000);
    return r ? r : store_idempotency_put(s, row.desk, key, digest, str_of(answer), 1000);
}

int main(int argc, char **argv)
{
    struct store *s = NULL;
    unsigned long long from = 0;
    char path[512];
    struct err err = {0};

    if (argc != 2) {
        fprintf(stderr, "usage: bench-together FOLDER\n");
        return 2;
    }
    snprintf(path, sizeof(path), "%s/together-%d.db", argv[1], (int)getpid());
    if (store_open(path, STORE_SPACE, true, &s, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (unsigned group = 0, id = 0; group < GROUPS; group++) {
        int r = store_begin(s);

        if (group == WARM)
            from = cpu();
        for (unsigned i = 0; r == 0 && i < GROUP; i++)
            r = check_in(s, id++);
        if (r || store_commit(s)) {
            fprintf(stderr, "a commit failed: %d, %s\n", r, store_failure(s));
            return 1;
        }
    }
    printf("{\"us_per_check_in\": %.2f}\n",
           (double)(cpu() - from) / 1000 / ((GROUPS - WARM) * GROUP));
    store_close(s);
    unlink(path);
    return 0;
}
